"""Notices that are told together because there are so many."""

from __future__ import annotations

from storage.database import Row, Tx


async def tally(tx: Tx, person_id: int, wait: str) -> Row | None:
    """What somebody was told of one kind of what waits: from_ms, told, since_ms; None when nothing ever was."""
    return await tx.one(
        "SELECT from_ms, told, since_ms FROM bundles"
        " WHERE township_id = :t AND person_id = :person_id AND wait = :wait",
        {"person_id": person_id, "wait": wait},
    )


async def put(tx: Tx, person_id: int, wait: str, *, from_ms: int, told: int, gathered_ms: int | None) -> None:
    """Note what somebody was told since `from_ms`, and from when on it is gathered (None: it is not)."""
    await tx.run(
        "INSERT INTO bundles (township_id, person_id, wait, from_ms, told, since_ms)"
        " VALUES (:t, :person_id, :wait, :from_ms, :told, :gathered_ms)"
        " ON CONFLICT (township_id, person_id, wait)"
        " DO UPDATE SET from_ms = excluded.from_ms, told = excluded.told, since_ms = excluded.since_ms",
        {"person_id": person_id, "wait": wait, "from_ms": from_ms, "told": told, "gathered_ms": gathered_ms},
    )


async def gather(tx: Tx, person_id: int, wait: str, number: str) -> None:
    """Keep one more thing for the bundle."""
    await tx.run(
        "INSERT INTO bundled (township_id, person_id, wait, number) VALUES (:t, :person_id, :wait, :number)"
        " ON CONFLICT (township_id, person_id, wait, number) DO NOTHING",
        {"person_id": person_id, "wait": wait, "number": number},
    )


async def take(tx: Tx, person_id: int, wait: str) -> set[str]:
    """Open the bundle: the numbers in it, which is empty from now on."""
    values = {"person_id": person_id, "wait": wait}
    here = "FROM bundled WHERE township_id = :t AND person_id = :person_id AND wait = :wait"
    rows = await tx.all(f"SELECT number {here}", values)
    await tx.run(f"DELETE {here}", values)
    return {row["number"] for row in rows}


async def forget(tx: Tx, person_id: int) -> None:
    """Remove what somebody was told, and was to be told."""
    await tx.run("DELETE FROM bundled WHERE township_id = :t AND person_id = :person_id", {"person_id": person_id})
    await tx.run("DELETE FROM bundles WHERE township_id = :t AND person_id = :person_id", {"person_id": person_id})
