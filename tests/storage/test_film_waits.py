"""What waits for staff at any moment is what the events of tickets say, however it is kept."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.product import film, film_figures
from tests.storage.test_ledger import NOW, a_ticket

KINDS = ("counted", "held", "approved", "refused", "objected", "upheld", "reversed")
# (which ticket, what happens, milliseconds later)
STORIES = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(KINDS), st.integers(0, 3)), max_size=14)
BY_EVENTS = (
    "SELECT e.id FROM film_ticket_events e WHERE e.township_id = :t AND e.kind IN ('held', 'objected')"
    " AND e.at_ms < :until_ms AND NOT EXISTS (SELECT 1 FROM film_ticket_events d WHERE d.township_id = :t"
    " AND d.ticket_id = e.ticket_id AND d.id > e.id AND d.at_ms < :until_ms)"
)


class Undone(Exception):
    """Nothing of a story stays: tickets can't be deleted."""


async def play(tx: Tx, story: list[tuple[int, str, int]], forgotten: int) -> None:
    """Write a story, the last `forgotten` events of it as a worker of the version before does; compare each moment."""
    for number in (1, 2, 3):
        await film.add_ticket(tx, a_ticket(number))
    at_ms, moments = NOW, [NOW]
    for event_id, (number, kind, later_ms) in enumerate(story, 1):
        at_ms += later_ms
        moments.append(at_ms + 1)
        ticket = a_ticket(number)
        if event_id > len(story) - forgotten:
            row = {
                "id": event_id,
                "ticket_id": ticket.id,
                "kind": kind,
                "village_id": ticket.village_id,
                "at_ms": at_ms,
            }
            await tx.run(
                "INSERT INTO film_ticket_events (township_id, id, ticket_id, kind, village_id, at_ms)"
                " VALUES (:t, :id, :ticket_id, :kind, :village_id, :at_ms)",
                row,
            )
        else:
            await film.add_event(tx, ticket, kind, id=event_id, at_ms=at_ms, by_person=7)  # type: ignore[arg-type]
    if forgotten:
        await film_figures.catch_up_waits(tx)
    assert await film_figures.broken_waits(tx) == []
    for until_ms in moments:
        expected = await tx.all(BY_EVENTS, {"until_ms": until_ms})
        found = await film_figures.waiting(tx, until_ms=until_ms, limit=100)
        assert len(found) == len(expected)
        counts = await film_figures.waiting_by_village(tx, from_ms=until_ms - 2, until_ms=until_ms)
        assert sum(count for count, _ in counts.values()) == len(expected)
        late = await film_figures.waiting(tx, until_ms=until_ms, before_ms=until_ms - 2, limit=100)
        assert sum(count for _, count in counts.values()) == len(late)
    raise Undone


async def tell(database: Database, story: list[tuple[int, str, int]], forgotten: int) -> None:
    try:
        await database.transaction(lambda tx: play(tx, story, forgotten))
    except Undone:
        return


def test_what_waits_is_what_the_events_say(sqlite_url: str) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(open_database(sqlite_url))

        @settings(max_examples=80, deadline=None)
        @given(story=STORIES, forgotten=st.integers(0, 3))
        def law(story: list[tuple[int, str, int]], forgotten: int) -> None:
            runner.run(tell(database, story, forgotten))

        law()
        runner.run(database.close())


def test_verify_names_a_ticket_whose_waiting_is_wrong(sqlite_url: str) -> None:
    async def work(tx: Tx) -> None:
        for number in (1, 2):
            await film.add_ticket(tx, a_ticket(number))
            await film.add_event(tx, a_ticket(number), "held", id=number, at_ms=NOW, by_person=7)
        await tx.run("UPDATE film_waits SET until_ms = 5 WHERE township_id = :t AND event_id = 1")
        await tx.run("DELETE FROM film_waits WHERE township_id = :t AND event_id = 2")
        assert [row["number"] for row in await film_figures.broken_waits(tx)] == [
            a_ticket(1).number,
            a_ticket(2).number,
        ]

    async def whole() -> None:
        database = await open_database(sqlite_url)
        await database.transaction(work)
        await database.close()

    asyncio.run(whole())
