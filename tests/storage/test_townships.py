"""No township sees or touches another: every storage function, called by two that have the same ids.

Both have every row of `tests.storage.rows`. What a function answers and writes must be what it is when the other
township is empty, and the other's rows must stay as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.machine import inbox
from tests.storage import rows
from tests.storage.surface import CALLS, CROSSING, LETTER, call, calls_of, public_functions

OURS, THEIRS = 1, 2
# Functions that have nothing to do on these rows, and why.
QUIET = {
    "townships.add_turn": "every township here has its turn",
    "rewards.granted": "no granted reward fits among the accounts; a story plays a month in two townships",
}
FUNCTIONS = dict(public_functions())
Snapshot = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Done:
    """What a call answered, and what it left in its township and in the other."""

    answer: Any
    own: Snapshot
    other: Snapshot


class Undone(Exception):
    """Ends the transaction, so that the next call finds the rows as they were."""

    def __init__(self, done: Done) -> None:
        self.done = done


@dataclass
class World:
    """A database with one township or with two."""

    database: Database
    before: dict[int, Snapshot]

    async def does(
        self, township_id: int, function: Callable[..., Awaitable[Any]], arguments: Mapping[str, Any]
    ) -> Done:
        """Call it as a township; nothing of it stays."""
        other_id = OURS + THEIRS - township_id

        async def work(tx: Tx) -> None:
            answer = await call(tx, function, arguments)
            raise Undone(Done(answer, await rows.snapshot(tx, township_id), await rows.snapshot(tx, other_id)))

        try:
            await self.database.transaction(work, township_id=township_id, exclusive=False)
        except Undone as undone:
            return undone.done
        raise AssertionError("the transaction did not end as it should")


async def fill(tx: Tx) -> None:
    """The rows that every township has under the same ids, and an update under an id of its own."""
    await rows.fill(tx, tx.township_id)
    own_id = 1_000 * tx.township_id
    await inbox.put(tx, [{**LETTER, "id": own_id, "update_key": f"own {own_id}", "address": f"web:{own_id}"}])


async def world_of(url: str, *township_ids: int) -> World:
    database = await open_database(url)
    for township_id in township_ids:
        await database.transaction(fill, township_id=township_id)
    before = {at: await database.read(lambda tx, at=at: rows.snapshot(tx, at), township_id=at) for at in (OURS, THEIRS)}
    return World(database, before)


class Worlds:
    """Both townships together, and each by itself."""

    def __init__(self, together: World, by_itself: dict[int, World]) -> None:
        self.together = together
        self.by_itself = by_itself

    async def leaks(self, name: str, function: Callable[..., Awaitable[Any]], calls: list[dict[str, Any]]) -> list[str]:
        """What a function lets through, a line each."""
        found = []
        effect = False
        for arguments in calls:
            for township_id in (OURS, THEIRS):
                alone = await self.by_itself[township_id].does(township_id, function, arguments)
                both = await self.together.does(township_id, function, arguments)
                effect |= bool(alone.answer) or alone.own != self.by_itself[township_id].before[township_id]
                if both.answer != alone.answer:
                    found.append(f"{name} answers {both.answer!r}, alone {alone.answer!r}")
                if both.own != alone.own:
                    found.append(f"{name} writes {differ(both.own, alone.own)} with what it found elsewhere")
                other_id = OURS + THEIRS - township_id
                if both.other != self.together.before[other_id] or any(alone.other.values()):
                    found.append(f"{name} changes {differ(both.other, self.together.before[other_id])} of another")
        if not effect and name not in QUIET:
            found.append(f"{name} finds and does nothing here: give it better arguments in tests/storage/surface.py")
        return found


def differ(one: Snapshot, other: Snapshot) -> list[str]:
    """The tables in which two snapshots differ."""
    return [table for table in one if one[table] != other[table]]


@pytest.fixture(params=("sqlite", "postgres"))
async def worlds(request: pytest.FixtureRequest, three: Callable[[str], Awaitable[list[str]]]) -> AsyncIterator[Worlds]:
    """On one engine and then on the other."""
    urls = await three(request.param)
    together = await world_of(urls[0], OURS, THEIRS)
    by_itself = {at: await world_of(url, at) for at, url in zip((OURS, THEIRS), urls[1:], strict=True)}
    yield Worlds(together, by_itself)
    for world in (together, *by_itself.values()):
        await world.database.close()


async def test_no_function_sees_or_touches_another_township(worlds: Worlds) -> None:
    found = []
    for name, function in FUNCTIONS.items():
        if name not in CROSSING:
            found += await worlds.leaks(name, function, calls_of(name, function))
    assert found == []


async def test_what_is_meant_to_look_across_does_and_only_looks(worlds: Worlds) -> None:
    blind = set(CROSSING)
    for name in CROSSING:
        for arguments in calls_of(name, FUNCTIONS[name]):
            alone = await worlds.by_itself[OURS].does(OURS, FUNCTIONS[name], arguments)
            both = await worlds.together.does(OURS, FUNCTIONS[name], arguments)
            assert (both.own, both.other) == (worlds.together.before[OURS], worlds.together.before[THEIRS]), name
            if alone.answer != both.answer:
                blind.discard(name)
    assert blind == set(), "they do not look across any more: take them out of CROSSING"


def test_the_tables_name_functions_that_there_are() -> None:
    assert set(CALLS) | set(CROSSING) | set(QUIET) <= set(FUNCTIONS)
    assert len(FUNCTIONS) > 150


async def sees_all(tx: Tx) -> Any:
    return await tx.all("SELECT name FROM people ORDER BY id")


async def sees_the_first(tx: Tx) -> Any:
    return await tx.one("SELECT name FROM people WHERE id = 1")


async def joins(tx: Tx) -> Any:
    return await tx.all(
        "SELECT p.name, c.last_in_ms FROM people p JOIN contacts c ON c.person_id = p.id WHERE p.township_id = :t"
    )


async def sums(tx: Tx) -> Any:
    return await tx.one("SELECT (SELECT SUM(amount) FROM transfers) AS sum FROM people WHERE township_id = :t")


async def changes(tx: Tx) -> Any:
    return await tx.run("UPDATE sessions SET body = 'x' WHERE person_id = 1")


async def deletes(tx: Tx) -> Any:
    await tx.run("DELETE FROM media_grants WHERE person_id = 1")


async def copies(tx: Tx) -> Any:
    await tx.run(
        "UPDATE sessions SET body = (SELECT MAX(p.name) FROM people p WHERE p.id = sessions.person_id)"
        " WHERE township_id = :t"
    )


async def does_nothing(tx: Tx) -> Any:
    return await tx.all("SELECT 1 FROM people WHERE township_id = :t AND id = 77")


LEAKY = (sees_all, sees_the_first, joins, sums, changes, deletes, copies, does_nothing)


async def test_a_leak_is_found(worlds: Worlds) -> None:
    """The check bites."""
    assert [one.__name__ for one in LEAKY if not await worlds.leaks(one.__name__, one, [{}])] == []
