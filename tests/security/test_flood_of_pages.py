"""Made-up cookies want streams: only who has written gets one, and strangers' give way to people and to the office."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import webchat
from bot.channels.webchat import Rank, Stream, WebChat
from tests.security.desk import desk

SMALL, KEPT = 20, 4


@pytest.fixture
def few_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webchat, "MAX_STREAMS", SMALL)
    monkeypatch.setattr(webchat, "KEPT_FOR_STAFF", KEPT)


async def test_made_up_cookies_get_no_stream(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        crowd = [await office.page() for _ in range(50)]
        answers = await asyncio.gather(*(page.get("/api/events") for page in crowd))
        assert {(status, b"retry: 60000" in body) for status, body, _ in answers} == {(200, True)}
        assert office.app.web is not None and office.app.web._webchat.stream_count == 0


async def test_real_people_and_the_office_have_their_streams_beside_a_crowd_that_has_written(
    tmp_path: Path, sqlite_template: Path, few_streams: None
) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        aunt, keeper, clerk = await office.villager(), await office.villager(), await office.villager()
        await office.grants(clerk, "staff")
        crowd = [await office.page() for _ in range(2 * SMALL)]
        for page in crowd:
            await page.says("您好")
        await office.handled()
        open_ones = [page.events() for page in crowd[: SMALL - KEPT]]
        for one in open_ones:
            await one.__aenter__()
        for page in crowd[SMALL - KEPT :]:
            status, body, _ = await page.get("/api/events")
            assert status == 200 and b"retry: 10000" in body and "您同意吗".encode() in body, (
                "they poll, and miss nothing"
            )
        async with aunt.events() as hers, clerk.events() as theirs, keeper.events() as his:
            for page, reader in ((aunt, hers), (clerk, theirs), (keeper, his)):
                await page.says("我的积分")
                assert "积分" in await reader.bot_says()
        for one in open_ones:
            await one.__aexit__(None, None, None)


async def test_who_has_written_has_a_stream_and_hears_the_next_answer_in_it(
    tmp_path: Path, sqlite_template: Path
) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page = await office.page()
        await page.post(kind="start")
        await office.handled()
        async with page.events() as events:
            await office.presses(page, "同意")
            seen = ""
            while "记下了" not in seen:
                seen = await events.bot_says()


def test_two_thousand_strangers_leave_a_real_persons_stream() -> None:
    chat = WebChat()
    crowd = [chat.open((1, f"web:{at}"), Rank.STRANGER) for at in range(2_000)]
    assert sum(stream is not None for stream in crowd) == webchat.MAX_STREAMS - webchat.KEPT_FOR_STAFF
    first, newest = crowd[0], crowd[webchat.MAX_STREAMS - webchat.KEPT_FOR_STAFF - 1]
    aunt = chat.open((1, "web:aunt"), Rank.KNOWN)
    assert aunt is not None and not aunt.closed
    assert newest is not None and newest.closed, "the newest stranger gives way"
    assert first is not None and not first.closed
    assert chat.open((1, "web:late"), Rank.STRANGER) is None


RANKS = st.sampled_from(list(Rank))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(RANKS, st.integers(0, 40), st.booleans()), max_size=150))
def test_nobody_gives_way_to_a_lower_rank_and_nothing_is_counted_twice(
    coming: list[tuple[Rank, int, bool]],
) -> None:
    chat = WebChat()
    alive: dict[Stream, tuple[Rank, webchat.Who]] = {}
    before = webchat.MAX_STREAMS, webchat.KEPT_FOR_STAFF
    webchat.MAX_STREAMS, webchat.KEPT_FOR_STAFF = SMALL, KEPT
    try:
        for rank, who, leaves in coming:
            address = (1, f"web:{rank}:{who}")
            if leaves:
                for stream in [one for one, (_, of) in alive.items() if of == address]:
                    chat.leave(address, stream)
                    del alive[stream]
                continue
            own = [one for one, (_, of) in alive.items() if of == address]
            opened = chat.open(address, rank)
            ended = [one for one in alive if one.closed]
            assert all(alive[one][0] < rank or one in own for one in ended)
            for one in ended:
                del alive[one]
            if opened is None:
                assert not [one for one, (of, _) in alive.items() if of < rank]
            else:
                alive[opened] = rank, address
            assert chat.stream_count == len(alive) <= SMALL
            if rank is not Rank.STAFF and opened is not None:
                assert chat.stream_count <= max(SMALL - KEPT, len(alive))
    finally:
        webchat.MAX_STREAMS, webchat.KEPT_FOR_STAFF = before
