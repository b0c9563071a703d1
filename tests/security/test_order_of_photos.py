"""Photos of newcomers wait behind those of people with a history, and one newcomer's many behind another's one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.media.order import Order
from bot.media.store import NEW_MS
from storage.people import people
from tests.channels.website import Page
from tests.fakes.pictures import photo
from tests.security.desk import Desk, desk


@dataclass
class Work:
    whose: str
    known: bool
    cancelled: bool = False


async def done_in_order(works: list[Work]) -> list[int]:
    """In which order works that all wait are done; those that are cancelled while they wait are not."""
    order, done = Order(), list[int]()
    tasks: list[asyncio.Task[None]] = []

    async def one(at: int, work: Work) -> None:
        async with order.turn(work.whose, known=work.known):
            done.append(at)
            await asyncio.sleep(0)

    async with order.turn("first", known=True):
        for at, work in enumerate(works):
            tasks.append(asyncio.create_task(one(at, work)))
            await asyncio.sleep(0)
        for task, work in zip(tasks, works, strict=True):
            if work.cancelled:
                task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), order.turn("last", known=False):
        return done


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Work, st.sampled_from("abcd"), st.booleans(), st.booleans()), max_size=30))
def test_everybody_gets_their_turn_and_the_known_get_it_first(works: list[Work]) -> None:
    done = asyncio.run(done_in_order(works))
    stays = [at for at, work in enumerate(works) if not work.cancelled]
    assert sorted(done) == stays
    known = [works[at].known for at in done]
    assert known == sorted(known, reverse=True)
    for whose in "abcd":
        for is_known in (True, False):
            own = [at for at in done if works[at].whose == whose and works[at].known is is_known]
            assert own == sorted(own), "each one's in their order"


async def test_an_honest_photo_goes_before_twenty_of_newcomers() -> None:
    crowd = [Work(f"web:{at}", known=False) for at in range(20)]
    assert (await done_in_order([*crowd, Work("web:aunt", known=True)]))[0] == 20


async def test_one_newcomers_many_delay_another_newcomer_by_one() -> None:
    crowd = [Work("web:one", known=False) for _ in range(20)]
    assert (await done_in_order([*crowd, Work("web:aunt", known=False)]))[1] == 20


async def test_the_lock_given_to_who_has_just_gone_is_passed_on() -> None:
    order = Order()
    async with order.turn("a", known=True):
        gone = asyncio.create_task(order._take("b", True, False))
        waits = asyncio.create_task(order._take("c", True, False))
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await asyncio.wait_for(waits, 1)


async def came_long_ago(office: Desk, page: Page) -> None:
    """They have agreed long ago."""
    [row] = await office.rows("SELECT person_id FROM contacts WHERE address = :address", address=page.address)
    before_ms = office.app.clock.now_ms() - 2 * NEW_MS
    await office.app.database.transaction(
        lambda tx: people.set_person(tx, row["person_id"], consent_ms=before_ms), township_id=1
    )


async def has_a_role(office: Desk, page: Page) -> None:
    """They have come today, with an invitation."""
    await office.grants(page, "cleaner")


@pytest.mark.parametrize("how", [came_long_ago, has_a_role])
async def test_uploads_of_newcomers_wait_behind_those_of_people_with_a_history(
    tmp_path: Path, sqlite_template: Path, how: Callable[[Desk, Page], Awaitable[None]]
) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        aunt, crowd = await office.villager(), [await office.villager() for _ in range(4)]
        await how(office, aunt)
        order, done = office.app.media.of(1).reception.order, list[str]()

        async def sends(page: Page, content: bytes) -> None:
            status, _ = await page.uploads(content)
            assert status == 201
            done.append(page.address)

        async def waiting(many: int) -> bool:
            return len(order._waiting) == many

        async with order.turn("the one in hand", known=False):
            tasks = [asyncio.create_task(sends(page, photo(at))) for at, page in enumerate(crowd * 2)]
            await office.until(partial(waiting, 8))
            tasks.append(asyncio.create_task(sends(aunt, photo(99))))
            await office.until(partial(waiting, 9))
            newcomers = [is_new for _, is_new, *_ in sorted(order._waiting, key=lambda one: one[:4])]
            assert newcomers == [False, *[True] * 8], "hers is the next"
        await asyncio.gather(*tasks)
        assert len(done) == 9


async def test_an_original_that_nobody_waits_for_lets_a_newcomer_pass() -> None:
    order, done = Order(), list[str]()

    async def works(name: str, *, known: bool, last: bool) -> None:
        async with order.turn(name, known=known, last=last):
            done.append(name)

    async with order.turn("in hand", known=True):
        tasks = [
            asyncio.create_task(works("original", known=True, last=True)),
            asyncio.create_task(works("newcomer", known=False, last=False)),
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert done == ["newcomer", "original"]
