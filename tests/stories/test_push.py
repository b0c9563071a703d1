"""«有消息时提醒我»: the phone is told that there is something new, and never what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.push.browsers import read_browser
from handlers.policy.model import Policy
from storage.database import Unavailable
from storage.machine import outbox
from storage.people import people, push
from tests.fakes.push import Arrived, Browser, FakePush
from tests.stories.doings import code_of, joins, reports, the_case, time_to_take_back_is_over
from tests.stories.town import TOWN, Someone, Town

pytestmark = pytest.mark.parametrize("town", ["web"], indirect=True)
NEWS = {"title": "青禾塬镇 · 净乡", "text": "有新消息"}


@pytest.fixture
async def fake(town: Town) -> AsyncIterator[FakePush]:
    async with FakePush() as found:
        found.carry(town.app)
        yield found


async def switches_on(town: Town, fake: FakePush, someone: Someone, name: str = "phone") -> Browser:
    """As the page does it."""
    telling = town.app.telling
    assert telling is not None
    browser = fake.browser(name, telling.public_key)
    kept = {**read_browser(browser.subscription()), "id": f"id of {name}", "server_key": telling.public_key}
    address, now_ms = someone.driver.address, town.clock.now_ms()
    await town.app.database.transaction(lambda tx: push.subscribe(tx, address, kept, now_ms=now_ms))
    return browser


async def looks(town: Town, someone: Someone) -> None:
    """The page is opened: what waited is shown, and the server hears that somebody looks."""
    address, now_ms = someone.driver.address, town.clock.now_ms()

    async def work(tx: Any) -> None:
        rows = await outbox.waiting_for(tx, address)
        await outbox.mark(tx, sent=[{"id": row["id"], "sent_ms": now_ms} for row in rows])
        await people.looks(tx, address, now_ms=now_ms)

    await town.app.database.transaction(work)


async def goes_on(town: Town, minutes: float = 0.5) -> None:
    """Some minutes, with the clock looking in every ten seconds."""
    for _ in range(max(1, round(minutes * 6))):
        town.clock.advance(seconds=10)
        await town.tick()


async def a_result(town: Town, keeper: Someone, aunt: Someone, words: str = "王家沟桥头有人倒垃圾") -> str:
    """A report and its verdict, which nobody takes back; the page is looked at until the report is sent."""
    number = await reports(aunt, words)
    await looks(town, aunt)
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    return number


async def policy_of(town: Town) -> Policy:
    world = await town.app.database.read(lambda tx: town.app.product.world(tx, town.clock.now_ms()))
    return world.policy


async def two(town: Town) -> tuple[Someone, Someone]:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    return keeper, await town.person("王大娘")


def said(browser: Browser) -> list[dict[str, Any]]:
    return [one.content for one in browser.got]


async def test_a_closed_page_is_told_that_there_is_news_and_nothing_of_it(town: Town, fake: FakePush) -> None:
    keeper, aunt = await two(town)
    phone = await switches_on(town, fake, aunt)
    number = await a_result(town, keeper, aunt)
    await goes_on(town)
    assert said(phone) == [NEWS]
    (got,) = phone.got
    everything = repr(got)
    assert number not in everything and "王" not in everything and aunt.driver.address not in everything
    assert got.headers["Urgency"] == "normal" and 0 < int(got.headers["TTL"]) <= 24 * 3_600


async def test_whoever_did_not_ask_for_it_is_told_nothing_and_nothing_is_planned(town: Town, fake: FakePush) -> None:
    keeper, aunt = await two(town)
    await a_result(town, keeper, aunt)
    await goes_on(town)
    assert fake.strangers == 0
    assert await town.rows("SELECT 1 FROM timers WHERE township_id = :t AND kind LIKE 'push.%'") == []


async def test_what_comes_together_is_told_once_and_again_only_after_minutes(town: Town, fake: FakePush) -> None:
    keeper, aunt = await two(town)
    phone = await switches_on(town, fake, aunt)
    for place in ("王家沟桥头", "王家沟小学", "王家沟村口"):
        number = await reports(aunt, f"{place}有人倒垃圾")
        await keeper.says(f"/verify {number} true")
    await looks(town, aunt)
    await time_to_take_back_is_over(town)
    await goes_on(town, 4)
    assert said(phone) == [NEWS]
    await aunt.says("我的举报")
    await goes_on(town, 20)
    assert said(phone) == [NEWS, NEWS]
    await goes_on(town, 60)
    assert said(phone) == [NEWS, NEWS], "nothing new: nothing to tell"
    assert phone.got[0].headers["Topic"] == phone.got[1].headers["Topic"], "the later one takes the earlier one's place"


async def test_who_has_looked_is_told_of_the_next_thing_at_once(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await goes_on(town)
    assert len(phone.got) == 1
    await looks(town, aunt)
    town.clock.advance(seconds=1)
    await aunt.says("我的积分")
    await goes_on(town)
    assert len(phone.got) == 2


async def test_who_opens_the_page_in_that_moment_is_not_told(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await town.tick()  # planned
    await looks(town, aunt)
    await goes_on(town, 10)
    assert phone.got == [] and phone.asked == 0


# -- at night


async def test_at_night_a_phone_is_quiet_until_the_morning(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.go_to("2026-11-18 23:30")
    await aunt.says("我的举报")
    await goes_on(town, 3)
    assert phone.asked == 0
    town.clock.go_to("2026-11-19 06:59")
    await town.tick()
    assert phone.asked == 0
    town.clock.go_to("2026-11-19 07:01")
    await goes_on(town)
    assert said(phone) == [NEWS]


async def test_a_push_does_not_live_into_the_night(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.go_to("2026-11-18 20:00")
    await aunt.says("我的举报")
    await goes_on(town)
    begins = (await policy_of(town)).quiet.start
    assert int(phone.got[0].headers["TTL"]) <= (begins.hour - 20) * 3_600 + begins.minute * 60


async def test_a_fire_at_night_wakes_the_one_who_must_know(town: Town, fake: FakePush) -> None:
    keeper, aunt = await two(town)
    phone = await switches_on(town, fake, keeper)
    hers = await switches_on(town, fake, aunt, "hers")
    town.clock.go_to("2026-11-19 02:00")
    await aunt.says("我要举报")
    await aunt.taps("焚烧")
    await aunt.taps("跳过")
    await aunt.says("王家沟桥头")
    await aunt.taps("提交")
    await goes_on(town)
    assert said(phone) == [NEWS]
    assert phone.got[0].headers["Urgency"] == "high"
    assert hers.asked == 0, "her receipt can wait for the morning"


# -- whose browser it is


async def test_whoever_erases_themselves_is_told_nothing_more(town: Town, fake: FakePush) -> None:
    keeper, aunt = await two(town)
    phone = await switches_on(town, fake, aunt)
    number = await reports(aunt)
    await goes_on(town)
    before = len(phone.got)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    assert await town.rows("SELECT 1 FROM push_subscriptions WHERE township_id = :t") == []
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    await goes_on(town, 20)
    assert len(phone.got) == before


async def test_a_page_that_was_taken_away_is_told_nothing_more(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    other = await town.person("")
    await joins(aunt, other)
    await switches_on(town, fake, other)
    await aunt.says("我的联系方式")
    label = next(one for one in aunt.heard[-1].labels if "断开" in one)
    await aunt.taps(label)
    await aunt.taps("断开")
    assert await town.rows("SELECT 1 FROM push_subscriptions WHERE township_id = :t") == []
    assert await code_of(aunt)


async def test_a_browser_is_its_newest_reader_s(town: Town, fake: FakePush) -> None:
    """Cookies were deleted, the phone was given on: the same browser is another person's now."""
    aunt = (await two(town))[1]
    await switches_on(town, fake, aunt)
    uncle = await town.person("李大爷")
    phone = fake.browsers["phone"]
    kept = {**read_browser(phone.subscription()), "id": "another", "server_key": phone.server_key}
    address, now_ms = uncle.driver.address, town.clock.now_ms()
    await town.app.database.transaction(lambda tx: push.subscribe(tx, address, kept, now_ms=now_ms))
    rows = await town.rows("SELECT address FROM push_subscriptions WHERE township_id = :t")
    assert [row["address"] for row in rows] == [uncle.driver.address]
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await goes_on(town, 10)
    assert phone.got == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_took_its_permission_back_is_forgotten(town: Town, fake: FakePush, status: int) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    phone.answers.append((status, {}))
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await goes_on(town, 10)
    assert phone.asked == 1
    assert await town.rows("SELECT 1 FROM push_subscriptions WHERE township_id = :t") == []


async def test_a_browser_nobody_opens_for_as_long_as_words_are_kept_is_forgotten(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    used = await town.person("李大爷")
    await switches_on(town, fake, aunt)
    await switches_on(town, fake, used, "his")
    days = (await policy_of(town)).retention.conversation_days
    town.clock.advance(days=days - 1)
    await looks(town, used)
    town.clock.advance(days=3)
    await town.tick()
    town.clock.advance(days=1)
    await town.tick()
    rows = await town.rows("SELECT address FROM push_subscriptions WHERE township_id = :t")
    assert [row["address"] for row in rows] == [used.driver.address]


# -- what goes wrong on the way


async def test_a_service_that_is_away_is_asked_again_and_the_phone_rings_once(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    phone.answers += [(503, {}), (500, {}), (429, {"Retry-After": "60"})]
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await goes_on(town, 8)
    assert said(phone) == [NEWS] and phone.asked == 4


async def test_what_could_not_be_told_in_the_evening_is_told_in_the_morning(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    begins = (await policy_of(town)).quiet.start
    town.clock.go_to(f"2026-11-18 {begins:%H}:00" if begins.minute else f"2026-11-18 {begins.hour - 1}:58")
    phone.answers += [(429, {"Retry-After": "1800"})]
    await aunt.says("我的举报")
    await goes_on(town)
    town.clock.advance(minutes=40)
    await town.tick()
    assert phone.asked == 1 and phone.got == []
    town.clock.go_to("2026-11-19 07:01")
    await goes_on(town)
    assert said(phone) == [NEWS]


async def dies_after_sending(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The errand has done its work, and the program is killed before that is written."""

    async def dies(*_: Any, **__: Any) -> None:
        raise Unavailable("killed")

    with monkeypatch.context() as patched:
        patched.setattr("handlers.push.planning.push.told", dies)
        town.clock.advance(seconds=3)
        assert await town.app.schedule.run_due() == 1
        await town.app.schedule.errands_done()


async def test_killed_between_sending_and_writing_repeats_that_push_and_no_other(
    town: Town, fake: FakePush, monkeypatch: pytest.MonkeyPatch
) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await town.app.schedule.run_due()
    await dies_after_sending(town, monkeypatch)
    assert len(phone.got) == 1
    await goes_on(town, 30)
    first, again = phone.got
    assert same_place(first, again), "the phone shows one"


def same_place(one: Arrived, other: Arrived) -> bool:
    return one.headers["Topic"] == other.headers["Topic"] and one.content == other.content


@pytest.mark.parametrize("after", ["waiting", "planned"])
async def test_killed_before_sending_loses_nothing(town: Town, fake: FakePush, after: str) -> None:
    """Another program goes on with the same database: what was to be told is told."""
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    if after == "planned":
        await town.app.schedule.run_due()
    due = await town.rows("SELECT kind FROM timers WHERE township_id = :t AND state = 'due' AND kind LIKE 'push.%'")
    assert [row["kind"] for row in due] == ["push.wanted" if after == "waiting" else "push.send"]
    town.app.schedule._running.clear()
    await goes_on(town)
    assert said(phone) == [NEWS]


async def test_a_new_key_ends_what_trusts_the_old_one(town: Town, fake: FakePush) -> None:
    aunt = (await two(town))[1]
    phone = await switches_on(town, fake, aunt)
    await town.write("UPDATE push_subscriptions SET server_key = 'old' WHERE township_id = :t", t=TOWN)
    town.clock.advance(seconds=1)
    await aunt.says("我的举报")
    await goes_on(town)
    assert phone.asked == 0
    assert await town.rows("SELECT 1 FROM push_subscriptions WHERE township_id = :t") == []


async def test_what_was_put_off_before_an_urgent_push_is_told_in_its_time(town: Town, fake: FakePush) -> None:
    """The letter of the evening is older than the fire at night, and is told in the morning all the same."""
    keeper, aunt = await two(town)
    phone = await switches_on(town, fake, keeper)
    town.clock.go_to("2026-11-18 23:00")
    number = await reports(aunt, "王家沟小学有人倒垃圾")
    assert (await the_case(town, number))["area"] == "王家沟村"
    town.clock.go_to("2026-11-19 02:00")
    await aunt.says("我要举报")
    await aunt.taps("焚烧")
    await aunt.taps("跳过")
    await aunt.says("王家沟桥头")
    await aunt.taps("提交")
    await goes_on(town)
    assert len(phone.got) == 1
    town.clock.go_to("2026-11-19 07:01")
    await goes_on(town)
    assert len(phone.got) == 2


async def test_a_card_that_only_changes_rings_nobody(town: Town, fake: FakePush) -> None:
    """A colleague has decided: the card loses its buttons on every page, and there is nothing to read."""
    keeper, aunt = await two(town)
    colleague = await town.person("李主任", role="staff")
    phone = await switches_on(town, fake, colleague)
    town.clock.advance(seconds=1)
    number = await reports(aunt)
    await goes_on(town)
    assert len(phone.got) == 1
    await looks(town, colleague)
    town.clock.advance(minutes=1)
    await keeper.says(f"/verify {number} true")
    await goes_on(town, 20)
    changes = "SELECT 1 FROM outbox WHERE township_id = :t AND address = :address AND changes IS NOT NULL"
    assert await town.rows(changes, address=colleague.driver.address), "the card was changed"
    assert len(phone.got) == 1
