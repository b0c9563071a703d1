"""Wrong claim codes: who tried, and on which case."""

from __future__ import annotations

from storage.database import Tx


async def add(tx: Tx, *, try_id: int, person_id: int, case_id: int | None, now_ms: int) -> None:
    """Somebody brought a wrong claim code."""
    await tx.run(
        "INSERT INTO claim_tries (township_id, id, person_id, case_id, at_ms)"
        " VALUES (:t, :try_id, :person_id, :case_id, :now_ms)",
        {"try_id": try_id, "person_id": person_id, "case_id": case_id, "now_ms": now_ms},
    )


async def of_person(tx: Tx, person_id: int, *, since_ms: int) -> list[int]:
    """When a person brought wrong codes."""
    rows = await tx.all(
        "SELECT at_ms FROM claim_tries WHERE township_id = :t AND person_id = :person_id AND at_ms >= :since_ms",
        {"person_id": person_id, "since_ms": since_ms},
    )
    return [row["at_ms"] for row in rows]


async def of_case(tx: Tx, case_id: int, *, since_ms: int) -> list[int]:
    """When wrong codes were brought for a case, by whomever."""
    rows = await tx.all(
        "SELECT at_ms FROM claim_tries WHERE township_id = :t AND case_id = :case_id AND at_ms >= :since_ms",
        {"case_id": case_id, "since_ms": since_ms},
    )
    return [row["at_ms"] for row in rows]
