"""A person's ways to be reached: which comes first, and the pages that were opened from another platform."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Database, Tx
from storage.people import erasure, merging, people

NOW_MS = 1_795_000_000_000
AUNT, UNCLE = 11, 12
WECHAT, TELEGRAM, PAGE, OTHER_PAGE = "wechat:oAunt", "telegram:9", "web:" + "a" * 64, "web:" + "b" * 64


async def add(tx: Tx, address: str, at_ms: int, *, person_id: int = AUNT, opened_from: str = "") -> None:
    """A contact that was used then."""
    channel = address.partition(":")[0]
    await people.add_contact(
        tx, channel=channel, address=address, person_id=person_id, now_ms=at_ms, opened_from=opened_from
    )


async def order(tx: Tx, person_id: int = AUNT) -> Sequence[str]:
    """Where news goes first, and where else it could go."""
    return [row["address"] for row in await people.contacts_of(tx, person_id)]


async def test_news_goes_to_the_platform_and_not_to_the_page_opened_from_it(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, WECHAT, NOW_MS)
        await add(tx, PAGE, NOW_MS + 1, opened_from=WECHAT)
        assert await order(tx) == [WECHAT, PAGE]
        await people.seen(tx, [(PAGE, NOW_MS + 9_000)])
        assert await order(tx) == [WECHAT, PAGE], "however much the page is used"
        await add(tx, TELEGRAM, NOW_MS + 5_000)
        assert await order(tx) == [TELEGRAM, WECHAT, PAGE]
        await people.set_contact_state(tx, WECHAT, "unreachable")
        assert await order(tx) == [PAGE, TELEGRAM], "nothing reaches them in WeChat: the page is one like others"

    await database.transaction(work)


async def test_a_page_that_was_opened_by_itself_is_one_like_others(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, WECHAT, NOW_MS)
        await add(tx, PAGE, NOW_MS + 1)
        assert await order(tx) == [PAGE, WECHAT]

    await database.transaction(work)


async def test_the_pages_opened_from_an_address_are_found_and_forgotten(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, WECHAT, NOW_MS)
        await add(tx, OTHER_PAGE, NOW_MS + 2, opened_from=WECHAT)
        await add(tx, PAGE, NOW_MS + 1, opened_from=WECHAT)
        await add(tx, "web:of nobody else", NOW_MS)
        pages = await people.opened_from(tx, WECHAT)
        assert [(row["address"], row["person_id"]) for row in pages] == [(PAGE, AUNT), (OTHER_PAGE, AUNT)]
        assert await people.opened_from(tx, "") == []
        await erasure.forget_contact(tx, PAGE, "erased:1")
        assert [row["address"] for row in await people.opened_from(tx, WECHAT)] == [OTHER_PAGE]
        row = await people.contact(tx, "erased:1")
        assert row is not None and (row["state"], row["opened_from"]) == ("erased", "")

    await database.transaction(work)


async def test_pages_go_along_when_two_people_turn_out_to_be_one(database: Database) -> None:
    async def work(tx: Tx) -> None:
        for person_id in (AUNT, UNCLE):
            await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=NOW_MS)
        await add(tx, TELEGRAM, NOW_MS)
        await add(tx, WECHAT, NOW_MS + 1, person_id=UNCLE)
        await add(tx, PAGE, NOW_MS + 2, person_id=UNCLE, opened_from=WECHAT)
        await merging.join_people(tx, from_person=UNCLE, to_person=AUNT, now_ms=NOW_MS)
        assert await order(tx) == [WECHAT, TELEGRAM, PAGE]
        assert [row["person_id"] for row in await people.opened_from(tx, WECHAT)] == [AUNT]

    await database.transaction(work)


async def test_a_cookie_that_opens_again_belongs_to_whom_it_was_opened_for_last(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, PAGE, NOW_MS)
        await add(tx, PAGE, NOW_MS + 1, person_id=UNCLE, opened_from=WECHAT)
        row = await people.contact(tx, PAGE)
        assert row is not None and (row["person_id"], row["opened_from"], row["state"]) == (UNCLE, WECHAT, "active")

    await database.transaction(work)
