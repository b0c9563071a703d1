"""What is to happen later: rows with a unique key, so that a period runs once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Row, Tx
from storage.sql import in_list


async def put(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Plan timers; one whose `timer_key` exists (done or not) is left alone.

    Each row: id, kind, timer_key, fire_ms, payload (JSON text).
    """
    await tx.many(
        "INSERT INTO timers (township_id, id, kind, timer_key, fire_ms, payload)"
        " VALUES (:t, :id, :kind, :timer_key, :fire_ms, :payload)"
        " ON CONFLICT (township_id, timer_key) DO NOTHING",
        [{"t": tx.township_id, **row} for row in rows],
    )


async def due(tx: Tx, *, now_ms: int, limit: int, kinds: Sequence[str] = (), among: bool = False) -> Sequence[Row]:
    """Timers whose time has come: id, kind, timer_key, fire_ms, payload, attempts. `among`: only of `kinds`; else
    of all others.
    """
    names, params = in_list("k", kinds or ("",))
    return await tx.all(
        "SELECT id, kind, timer_key, fire_ms, payload, attempts FROM timers WHERE township_id = :t AND state = 'due'"
        f" AND fire_ms <= :now_ms AND kind {'IN' if among else 'NOT IN'} ({names}) ORDER BY fire_ms, id LIMIT :limit",
        {"now_ms": now_ms, "limit": limit, **params},
    )


async def townships_due(tx: Tx, *, now_ms: int) -> Sequence[int]:
    """Every township with timers whose time has come, whichever `tx` is of."""
    rows = await tx.all(
        "SELECT t.township_id FROM turns t WHERE EXISTS (SELECT 1 FROM timers x WHERE x.township_id = t.township_id"
        " AND x.state = 'due' AND x.fire_ms <= :now_ms) ORDER BY t.township_id",
        {"now_ms": now_ms},
    )
    return [row["township_id"] for row in rows]


async def is_due(tx: Tx, timer_id: int) -> bool:
    """Whether the timer has not run yet."""
    row = await tx.one("SELECT state FROM timers WHERE township_id = :t AND id = :id", {"id": timer_id})
    return row is not None and row["state"] == "due"


async def due_ms_of(tx: Tx, timer_key: str) -> int | None:
    """When the timer of that key is to run; None when it has run, was ended, or was never planned."""
    row = await tx.one(
        "SELECT fire_ms FROM timers WHERE township_id = :t AND timer_key = :timer_key AND state = 'due'",
        {"timer_key": timer_key},
    )
    return row["fire_ms"] if row is not None else None


async def end(tx: Tx, timer_key: str, *, now_ms: int) -> bool:
    """The timer of that key is not to run any more. False: it has run, or there is none."""
    ended = await tx.run(
        "UPDATE timers SET state = 'done', done_ms = :now_ms, error = 'ended'"
        " WHERE township_id = :t AND timer_key = :timer_key AND state = 'due'",
        {"timer_key": timer_key, "now_ms": now_ms},
    )
    return ended == 1


async def done(tx: Tx, timer_id: int, *, now_ms: int) -> None:
    """The timer ran."""
    await tx.run(
        "UPDATE timers SET state = 'done', done_ms = :now_ms WHERE township_id = :t AND id = :id",
        {"id": timer_id, "now_ms": now_ms},
    )


async def again(tx: Tx, timer_id: int, *, fire_ms: int, error: str) -> None:
    """Try the timer once more at `fire_ms`."""
    await tx.run(
        "UPDATE timers SET fire_ms = :fire_ms, attempts = attempts + 1, error = :error"
        " WHERE township_id = :t AND id = :id AND state = 'due'",
        {"id": timer_id, "fire_ms": fire_ms, "error": error[:2000]},
    )


async def failed(tx: Tx, timer_id: int, *, now_ms: int, error: str) -> None:
    """The timer is given up."""
    await tx.run(
        "UPDATE timers SET state = 'failed', done_ms = :now_ms, error = :error"
        " WHERE township_id = :t AND id = :id AND state = 'due'",
        {"id": timer_id, "now_ms": now_ms, "error": error[:2000]},
    )


async def counts(tx: Tx) -> dict[str, int]:
    """How many timers are due and how many failed."""
    row = await tx.one(
        "SELECT (SELECT COUNT(*) FROM timers WHERE township_id = :t AND state = 'due') AS due,"
        " (SELECT COUNT(*) FROM timers WHERE township_id = :t AND state = 'failed') AS failed"
    )
    return {state: row[state] for state in ("due", "failed") if row and row[state]}
