"""Timers that are ended before they run, and entries that are taken back: once, whoever asks again."""

from __future__ import annotations

from typing import Any

import pytest

from storage.database import Database, Refused, Tx
from storage.machine import reversals, timers

TIMER = {"id": 1, "kind": "k", "timer_key": "k:7", "fire_ms": 500, "payload": "{}"}
BACK: dict[str, Any] = {
    "what": "case", "subject_id": 3, "entry_id": 7, "entry_ms": 100, "kind": "withdrawn", "person_id": 1, "reason": "",
    "at_ms": 200,
}  # fmt: skip


async def test_a_timer_is_ended_once_and_never_runs(database: Database) -> None:
    async def work(tx: Tx) -> list[object]:
        await timers.put(tx, [TIMER])
        found: list[object] = [await timers.due_ms_of(tx, "k:7")]
        found += [await timers.end(tx, "k:7", now_ms=300), await timers.end(tx, "k:7", now_ms=300)]
        await timers.put(tx, [{**TIMER, "id": 2}])  # its key stays used
        found += [await timers.due_ms_of(tx, "k:7"), await timers.is_due(tx, 1)]
        return [*found, await timers.due(tx, now_ms=900, limit=9)]

    assert await database.transaction(work) == [500, True, False, None, False, []]


async def test_a_timer_that_ran_can_not_be_ended(database: Database) -> None:
    async def work(tx: Tx) -> list[object]:
        await timers.put(tx, [TIMER])
        await timers.done(tx, 1, now_ms=500)
        return [await timers.due_ms_of(tx, "k:7"), await timers.end(tx, "k:7", now_ms=600)]

    assert await database.transaction(work) == [None, False]
    assert not await database.transaction(lambda tx: timers.end(tx, "never planned", now_ms=1))


async def test_an_entry_is_taken_back_once_and_that_is_never_changed(database: Database) -> None:
    async def work(tx: Tx) -> list[bool]:
        return [await reversals.add_reversal(tx, reversal_id=one, **BACK) for one in (1, 2)]

    assert await database.transaction(work) == [True, False]
    for statement in ("UPDATE reversals SET reason = 'x' WHERE township_id = :t", "DELETE FROM reversals"):
        with pytest.raises(Refused):
            await database.transaction(lambda tx, sql=statement: tx.run(sql))
