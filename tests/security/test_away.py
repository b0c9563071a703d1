"""A platform is away: nobody else waits for it, what it is to be told is kept, and all of it goes once it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import troubles
from bot.channels.base import Letter
from bot.clock import SystemClock
from bot.errors import NoAnswer, RetryLater
from bot.outgoing import breakers, delivery
from bot.outgoing.delivery import Delivery
from bot.outgoing.trouble_book import TroubleBook
from bot.stored import dump_out
from bot.talk.messages import Out
from bot.troubles import Troubles
from storage.database import Database, Tx
from storage.engine.opening import bring_up_to_date, open_database
from storage.machine import channel_faults, outbox, townships

TOWN, PEOPLE, EACH = 1, 30, 3


class Platform:
    """A channel that may be away: refusing at once, or holding each call."""

    buttons, reply_ms, native_menu, forgets_media = True, 0, False, False

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: RetryLater | None = None
        self.held = False
        self.shown: list[tuple[str, str]] = []
        self.calls = 0

    def admit_ms(self, address: str, now_ms: int) -> int:
        return now_ms

    def elsewhere(self, *_: Any) -> str:
        return ""

    async def send(self, letter: Letter) -> bool:
        self.calls += 1
        if self.held:
            await asyncio.sleep(0.3)
        if self.error is not None:
            raise self.error
        self.shown.append((letter.address, letter.out.text))
        return True


class Office:
    """One township's delivery, with a platform that goes away and one that does not."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.far, self.near = Platform("telegram"), Platform("web")
        self.troubles = Troubles(SystemClock())
        channels: Any = {"telegram": self.far, "web": self.near}
        self.delivery = Delivery(database, channels, SystemClock(), TOWN, self.troubles)
        self.running: asyncio.Task[None] | None = None
        self._next_id = 0

    async def stops(self) -> None:
        """Its worker ends, and sends nothing more."""
        self.delivery.stop()
        assert self.running is not None
        await self.running

    async def writes(self, *letters: tuple[str, str]) -> None:
        """Letters (address, words) are decided by some transaction that this worker has not heard of."""
        rows = []
        for address, words in letters:
            self._next_id += 1
            rows.append(
                {"id": self._next_id, "person_id": 1, "channel": address.partition(":")[0], "address": address}
                | {"body": dump_out(Out(words)), "message_key": None, "urgent": 0}
                | {"created_ms": SystemClock().now_ms(), "due_ms": 1, "expires_ms": None}
            )
        await self.database.transaction(lambda tx: outbox.put(tx, rows), township_id=TOWN)
        self.delivery.wake()

    async def poisons(self, letter_id: int, body: str) -> None:
        """A row's body becomes something else."""

        async def work(tx: Tx) -> None:
            sql = "UPDATE outbox SET body = :body WHERE township_id = :t AND id = :id"
            await tx.run(sql, {"body": body, "id": letter_id})

        await self.database.transaction(work, township_id=TOWN)

    async def states(self) -> dict[str, int]:
        """How many rows are in each state."""

        async def work(tx: Tx) -> Any:
            return await tx.all("SELECT state, COUNT(*) AS n FROM outbox WHERE township_id = :t GROUP BY state")

        return {row["state"]: row["n"] for row in await self.database.read(work, township_id=TOWN)}

    async def until(self, platform: Platform, count: int) -> None:
        async with asyncio.timeout(15):
            while len(platform.shown) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(troubles, "MOMENT_MS", 0)
    monkeypatch.setattr(breakers, "AWAY_AFTER_MS", 200)
    monkeypatch.setattr(delivery, "AWAY_AFTER_MS", 200)
    monkeypatch.setattr(delivery, "TRY_MS", 50)
    monkeypatch.setattr(delivery, "POLL_S", 0.05)
    url = f"sqlite:///{tmp_path / 'town.db'}"
    await bring_up_to_date(url, now_ms=1)
    database = await open_database(url)
    await database.transaction(townships.add_turn, township_id=TOWN)
    made = Office(database)
    made.running = asyncio.create_task(made.delivery.run())
    yield made
    await made.stops()
    await database.close()


def letters(channel: str) -> list[tuple[str, str]]:
    return [(f"{channel}:{person}", f"第 {number} 条") for number in range(EACH) for person in range(PEOPLE)]


def in_order(platform: Platform) -> bool:
    """Whether everybody was shown their letters once and in order."""
    wanted = [f"第 {number} 条" for number in range(EACH)]
    return all(
        [words for address, words in platform.shown if address == f"{platform.name}:{person}"] == wanted
        for person in range(PEOPLE)
    )


@pytest.mark.parametrize("silent", [False, True])
async def test_letters_wait_for_a_platform_that_is_away_and_nobody_else_does(office: Office, silent: bool) -> None:
    office.far.error, office.far.held = NoAnswer(10, "connection refused"), silent
    with capture_logs() as logs:
        await office.writes(*letters("telegram"))
        async with asyncio.timeout(10):
            while not office.troubles.now():
                await asyncio.sleep(0.01)
        await office.writes(*letters("web"))
        await office.until(office.near, PEOPLE * EACH)
        await asyncio.sleep(0.5)
        calls = office.far.calls
        await asyncio.sleep(0.5)
        assert office.far.calls - calls <= 15, "one lane tries, the others keep quiet"
        [trouble] = office.troubles.now()
        assert (trouble.part, trouble.reason) == ("telegram", "no_answer")
        assert await office.states() == {"due": PEOPLE * EACH, "sent": PEOPLE * EACH}
        office.far.error, office.far.held = None, False
        await office.until(office.far, PEOPLE * EACH)
    assert in_order(office.far) and in_order(office.near)
    assert office.troubles.now() == []
    said = [line["event"] for line in logs if line["log_level"] in ("warning", "error")]
    assert said == ["trouble.began", "trouble.over"], "one line when it begins, one when it is over"


async def test_what_is_written_while_it_is_away_comes_after_what_waits(office: Office) -> None:
    office.far.error = NoAnswer(10, "connection refused")
    first, *others = letters("telegram")[::PEOPLE]
    await office.writes(first)
    async with asyncio.timeout(10):
        while not office.troubles.now():
            await asyncio.sleep(0.01)
    for one in others:
        await office.writes(one, ("telegram:77", one[1]))
    await asyncio.sleep(0.3)
    office.far.error = None
    await office.until(office.far, 2 * EACH - 1)
    assert [words for address, words in office.far.shown if address == first[0]] == [first[1], *(w for _, w in others)]


async def test_one_letter_that_is_refused_for_now_is_no_trouble_of_the_platform(office: Office) -> None:
    office.far.error = RetryLater(10, "too many requests")
    await office.writes(("telegram:1", "您好"))
    await asyncio.sleep(0.6)
    assert office.troubles.now() == []
    office.far.error = None
    await office.until(office.far, 1)


@pytest.mark.parametrize("body", ["{", "null", "[1]", '{"rows": 5}', '{"rows": [["x"]]}', "", "\x00"])
async def test_a_letter_that_cannot_be_read_is_set_aside_and_the_others_go(office: Office, body: str) -> None:
    await office.stops()
    await office.writes(("telegram:9", "坏的"), ("telegram:9", "后面的"), ("web:3", "别人的"))
    await office.poisons(1, body)
    next_life = Office(office.database)
    with capture_logs() as logs:
        await next_life.delivery.settle()
    assert next_life.far.shown == [("telegram:9", "后面的")] and next_life.near.shown == [("web:3", "别人的")]
    assert await office.states() == {"failed": 1, "sent": 2}
    assert [line["event"] for line in logs if line["log_level"] in ("warning", "error")] == ["delivery.unreadable"]
    aside = lambda tx: outbox.unreadable(tx, after_ms=0)  # noqa: E731
    assert await office.database.read(aside, township_id=TOWN) == 1


async def test_troubles_are_written_down_and_so_is_their_end(office: Office) -> None:
    book = TroubleBook(office.database, office.troubles)
    office.troubles.failed("telegram", "no_answer", township_id=TOWN)
    office.troubles.failed("media", "disk_full")
    await book.write()

    async def now() -> list[tuple[str, str]]:
        rows = await office.database.read(channel_faults.every, township_id=TOWN)
        return [(row["channel"], row["fault"]) for row in rows]

    assert await now() == [("media", "disk_full"), ("telegram", "no_answer")]
    office.troubles.works("telegram", TOWN)
    await book.write()
    assert await now() == [("media", "disk_full")]
    over = lambda tx: channel_faults.lately(tx, after_ms=0, least_ms=0)  # noqa: E731
    assert [row["was"] for row in await office.database.read(over, township_id=TOWN)] == ["no_answer"]
    next_life = Troubles(SystemClock())
    again = TroubleBook(office.database, next_life)
    await again.write()
    assert await now() == [("media", "disk_full")], "nothing is known of it yet"
    next_life.works("media")
    await again.write()
    assert await now() == []
