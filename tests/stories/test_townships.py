"""Several townships in one deployment: nothing of one is met in another, but for what a county's staff look at."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest

import storage
from storage.database import Tx
from storage.people import people
from tests.postgres import PostgresServer
from tests.stories.conftest import CHANNELS, platforms_of
from tests.stories.county import CODES, QINGHE, SHAJING, County, make_county
from tests.stories.doings import reports, the_month_turns, time_to_take_back_is_over, token_for, weighs
from tests.stories.town import Heard, Someone, StoryDice, Town
from tests.templates import in_a_file, on_a_server

PHONE = re.compile(r"\d{11}")
SCHEMA = Path(storage.__file__).parent / "schema"
TABLES = [name for file in sorted(SCHEMA.glob("*.sql")) for name in re.findall(r"CREATE TABLE (\w+)", file.read_text())]


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the three townships in it."""
    return in_a_file(make_county, tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def postgres_template(postgres: PostgresServer) -> str:
    """The same on the server."""
    return on_a_server(make_county, postgres)


@pytest.fixture(params=CHANNELS)
async def county(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> AsyncIterator[County]:
    """Three townships on one channel and one engine."""
    async with platforms_of(request.param) as platforms:
        opened = await County.open(tmp_path / "data", database_url, request.param, **platforms)
        try:
            yield opened
        finally:
            await opened.close()


async def county_staff(county: County, name: str = "县办老赵") -> Someone:
    """Somebody of the first township whom the console has invited for the county."""
    town = county.qinghe
    token = await token_for(town, "county_staff", "", dice=StoryDice(11))
    someone = await town.person(name)
    await someone.starts(token)
    someone.sees("您现在是「青禾塬镇 县级工作人员」", "县里各乡镇")
    return someone


async def same_person(town: Any, name: str, person_id: int) -> Someone:
    """Somebody in another township who has the id of a person of the first one."""
    someone: Someone = await town.person(name, consent=False)
    now_ms = town.clock.now_ms()

    async def work(tx: Tx) -> None:
        await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=now_ms)
        address = someone.driver.address
        await people.add_contact(tx, channel=town.channel, address=address, person_id=person_id, now_ms=now_ms)

    await town.app.database.transaction(work)
    await town.agrees(someone)
    assert await someone.person_id() == person_id
    return someone


async def everything(town: Town, *, but: Collection[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a township."""
    found = {}
    for table in sorted(set(TABLES) - set(but)):
        rows = await town.rows(f"SELECT * FROM {table} WHERE township_id = :t")
        found[table] = sorted((tuple(row) for row in rows), key=repr)
    return found


def block(heard: Heard, name: str) -> list[str]:
    """A township's lines in the list."""
    return heard.text.split(f"【{name}】\n")[1].split("\n\n")[0].split("\n")


# ── each for itself ──────────────────────────────────────────────────────────


async def test_the_same_numbers_mean_another_thing_in_each_township(county: County) -> None:
    here, there = county.qinghe, county.shajing
    aunt = await here.person("王大娘")
    keeper = await here.person("赵网格", role="grid_keeper", area="王家沟")
    twin = await same_person(there, "冯大娘", await aunt.person_id())
    warden = await same_person(there, "罗网格", await keeper.person_id())
    await there.grant(warden, "grid_keeper", "王家沟")

    number = await reports(aunt, "王家沟桥头有人倒垃圾")
    assert await reports(twin, "王家沟小学有人烧垃圾") == number == "2026-0001"
    await keeper.says(f"/case {number}")
    keeper.sees("桥头", "乱倒垃圾")
    await warden.says(f"/case {number}")
    warden.sees("小学", "焚烧")
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(here)
    aunt.sees("是真的")
    await there.work()
    twin.sees_not("是真的")
    await twin.says("我的举报")
    twin.sees(number, "焚烧")
    states = "SELECT state FROM cases WHERE township_id = :t"
    assert [row["state"] for row in await here.rows(states)] == ["verified"]
    assert [row["state"] for row in await there.rows(states)] == ["registered"]
    await aunt.says("我的积分")
    aunt.sees("举报奖励：5 分")
    await twin.says("我的积分")
    twin.sees("您的积分：0 分", "还没到账 5 分")
    await the_month_turns(here)
    await aunt.says("我的积分")
    aunt.sees("上月举报奖励合计")
    assert await there.rows("SELECT id FROM transfers WHERE township_id = :t AND reason LIKE 'reward%'") == []


async def test_a_card_number_is_another_household_s_in_each_township(county: County) -> None:
    here, there = county.qinghe, county.shajing
    cleaner = await here.person("李师傅", role="cleaner", area="王家沟")
    sweeper = await same_person(there, "白师傅", await cleaner.person_id())
    await there.grant(sweeper, "cleaner", "王家沟")
    await weighs(cleaner, "N0123 10公斤")
    cleaner.sees("张三", "镇补 5.00元")
    await weighs(sweeper, "N0123 10公斤")
    sweeper.sees("刘三", "镇补 2.00元")
    for town, fen in ((here, 500), (there, 200)):
        rows = await town.rows("SELECT SUM(township_fen) AS fen FROM film_ticket_events WHERE township_id = :t")
        assert int(rows[0]["fen"]) == fen
        funds = await town.rows("SELECT balance FROM balances WHERE township_id = :t AND account = 'fund:township'")
        assert [int(row["balance"]) for row in funds] == [-fen]


async def test_an_admin_takes_the_county_s_role_back(county: County) -> None:
    town = county.qinghe
    looker = await county_staff(county)
    admin = await town.person("马主任", role="admin")
    await admin.says("/roles")
    admin.sees("县办老赵", "县")
    await admin.says("/revoke")
    await admin.says("县办老赵")
    await admin.taps("收回")
    admin.sees("已经收回")
    await looker.says("/townships")
    looker.sees_not("沙井")


async def test_from_one_browser_two_people(county: County) -> None:
    here, there = county.qinghe, county.shajing
    aunt = await here.person("王大娘", role="staff", channel="web" if here.channel == "wechat" else "")
    twin = await there.person("")
    assert aunt.driver.called == twin.driver.called
    assert here.channel == "telegram" or aunt.driver.address == twin.driver.address
    assert await aunt.person_id() != await twin.person_id()
    await twin.says("/me")
    twin.sees("您的信息")
    twin.sees_not("王大娘")
    twin.sees_not("工作人员")
    await twin.says("待核实")
    twin.sees("网格员")
    await twin.says("谁负责王家沟")
    twin.sees_not("王大娘")
    await aunt.says("/me")
    aunt.sees("王大娘", "工作人员")


async def test_an_erasure_here_leaves_the_other_township_alone(county: County) -> None:
    here, there = county.qinghe, county.shajing
    aunt = await here.person("王大娘")
    twin = await same_person(there, "王大娘", await aunt.person_id())
    await reports(twin, "王家沟桥头有人倒垃圾")
    own_clock = ("timers", "erased_through")
    before = await everything(there, but=own_clock)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    aunt.sees("已经删除")
    here.clock.advance(hours=2)
    await here.tick()
    erased = await here.rows("SELECT state FROM people WHERE township_id = :t")
    assert {row["state"] for row in erased} == {"erased"}
    assert await everything(there, but=own_clock) == before
    await twin.says("我的举报")
    twin.sees("2026-0001")


async def test_each_township_has_its_own_evening(county: County) -> None:
    staff = await county.qinghe.person("孙干事", role="staff")
    clerk = await county.shajing.person("马干事", role="staff")
    await county.tick("2026-11-18 18:00")
    staff.sees("青禾塬镇日报 2026-11-18")
    staff.sees_not("沙井乡")
    clerk.sees("沙井乡日报 2026-11-18")
    clerk.sees_not("青禾塬镇")


async def test_an_invitation_of_one_township_is_nothing_in_another(county: County) -> None:
    here, there = county.qinghe, county.shajing
    admin = await here.person("周主任", role="admin")
    await admin.says("发邀请")
    await admin.taps("保洁员")
    await admin.says("王家沟")
    await admin.taps("生成邀请")
    url = re.search(r"https://chat\.example/\?join=([\w-]+)&t=(\d+)", admin.sees("只能用一次").text)
    assert url is not None and url[2] == CODES[QINGHE]
    if here.channel == "telegram":
        assert f"https://t.me/jingxiang_test_bot?start={url[1]}" in admin.last.text
    stranger = await there.person("冯大娘")
    await stranger.starts(url[1])
    stranger.sees("邀请链接不对")
    assert await there.rows("SELECT 1 FROM roles WHERE township_id = :t") == []
    guest = await here.person("李师傅")
    await guest.starts(url[1])
    guest.sees("王家沟村 保洁员")


@pytest.mark.parametrize("county", ["telegram"], indirect=True)
async def test_each_bot_talks_to_its_own_people_only(county: County) -> None:
    here, there = county.qinghe, county.shajing
    aunt = await here.person("王大娘")
    twin = await there.person("冯大娘")
    assert aunt.driver.user.id == twin.driver.user.id  # one Telegram account that talks to both
    number = await reports(twin, "沙井桥头有人倒垃圾")
    warden = await there.person("罗网格", role="grid_keeper", area="沙井")
    await warden.says(f"/verify {number} true")
    await time_to_take_back_is_over(there)
    assert twin.sees("是真的")
    await here.work()
    assert [heard.text for heard in aunt.heard if number in heard.text] == []
    assert await here.rows("SELECT 1 FROM inbox WHERE township_id = :t AND body LIKE '%沙井桥头%'") == []
    names = {bot.identity.username for bot in here.app.bots.values()}
    assert names == {"jingxiang_test_bot", "shajing_bot", "yuanshan_bot"}


# ── the county looks ─────────────────────────────────────────────────────────


async def a_friday(county: County) -> None:
    """A day with something of everything in both townships of the county, and in the one of another."""
    for town, place in ((county.qinghe, "王家沟"), (county.shajing, "王家沟"), (county.yuanshan, "王家沟")):
        aunt = await town.person("赵大娘")
        keeper = await town.person("钱网格", role="grid_keeper", area=place)
        cleaner = await town.person("孙师傅", role="cleaner", area=place)
        await reports(aunt, f"{place}桥头有人倒垃圾")
        number = await reports(aunt, f"{place}小学的河道里有垃圾")
        await keeper.says(f"/verify {number} true")
        await weighs(cleaner, "N0123 10公斤" if town is county.qinghe else "N0123 20公斤")
    await county.tick("2026-11-18 18:00", "2026-11-19 18:00", "2026-11-20 16:00")
    keeper = county.qinghe.people[1]
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")


async def test_the_list_of_the_townships(county: County) -> None:
    await a_friday(county)
    boss = await county_staff(county)
    await boss.says("县里各乡镇")
    found = boss.sees("朔禾县(虚构)各乡镇 2026-11-20", "数据时间 11-19 18:00—11-20 16:00")
    assert block(found, "青禾塬镇") == [
        "举报：新报 0 件，已核实 0 件",
        "待核实：1 件，其中久等 1 件",
        "农膜：0 公斤",
        "集中整治：已报 1/24 村，缺 23",
    ]
    assert block(found, "沙井乡") == [
        "举报：新报 0 件，已核实 0 件",
        "待核实：1 件，其中久等 1 件",
        "农膜：0 公斤",
        "集中整治：已报 0/3 村，缺 3",
    ]
    assert "远山" not in found.text
    await boss.taps("本周")
    found = boss.sees("各乡镇 2026-11-16 至 2026-11-20", "数据时间 11-15 18:00—11-20 16:00")
    assert block(found, "青禾塬镇") == [
        "举报：新报 2 件，已核实 1 件",
        "待核实：1 件，其中久等 1 件",
        "农膜：10 公斤",
        "县补：10.00 元",
        "镇补：5.00 元",
        "集中整治：已报 1/24 村，缺 23",
    ]
    assert block(found, "沙井乡") == [
        "举报：新报 2 件，已核实 1 件",
        "待核实：1 件，其中久等 1 件",
        "农膜：20 公斤",
        "县补：20.00 元",
        "镇补：4.00 元",
        "集中整治：已报 0/3 村，缺 3",
    ]
    assert block(found, "全县合计") == [
        "举报：新报 4 件，已核实 2 件",
        "待核实：2 件，其中久等 2 件",
        "农膜：30 公斤",
        "县补：30.00 元",
        "镇补：9.00 元",
        "集中整治：已报 1/27 村，缺 26",
    ]
    await boss.says("/townships 2026-11-18")
    found = boss.sees("各乡镇 2026-11-18")
    assert block(found, "沙井乡")[:2] == ["举报：新报 2 件，已核实 1 件", "待核实：1 件，其中久等 0 件"]
    assert not PHONE.search(found.text)


async def test_a_past_list_says_the_same_whatever_came_after(county: County) -> None:
    await a_friday(county)
    boss = await county_staff(county)
    await boss.says("/townships 2026-11-16 2026-11-19")
    before = boss.sees("至 2026-11-19").text
    warden = county.shajing.people[1]
    await warden.says("/verify 2026-0001 true")
    await reports(county.shajing.people[0], "王家沟桥头又有人倒垃圾")
    await boss.says("/townships 2026-11-16 2026-11-19")
    assert boss.last.text == before


async def test_the_digest_of_a_township_is_its_own_staff_s(county: County) -> None:
    await a_friday(county)
    clerk = await county.shajing.person("马干事", role="staff")
    boss = await county_staff(county)
    await clerk.says("/digest 2026-11-18")
    own = clerk.last
    assert "沙井乡日报 2026-11-18" in own.text and "县补 20.00 元" in own.text
    for asked in ("/digest 沙井乡 2026-11-18", "/digest 沙井 2026-11-18", f"/digest {CODES[SHAJING]} 11月18日"):
        await boss.says(asked)
        assert boss.last.text == own.text
        assert boss.last.labels == ["回到各乡镇"]
    await boss.says("/townships 2026-11-19")
    await boss.taps("沙井乡日报")
    boss.sees("沙井乡日报 2026-11-19", "【久等未核实 1 件】")
    assert "大娘" not in boss.last.text and not PHONE.search(boss.last.text)
    await boss.taps("回到各乡镇")
    boss.sees("各乡镇 2026-11-19")
    await boss.says("日报")
    boss.sees("青禾塬镇日报 2026-11-20（还没到点")
    await boss.says("/digest 2026-11-18")
    boss.sees("青禾塬镇日报 2026-11-18")


async def test_asked_late_the_county_reads_until_now(county: County) -> None:
    await a_friday(county)
    boss = await county_staff(county)
    await county.tick("2026-11-20 18:00", "2026-11-20 21:00")
    await weighs(county.shajing.people[2], "N0123 7公斤")
    await boss.says("县里各乡镇")
    found = boss.sees("各乡镇 2026-11-20", "数据时间 11-19 18:00—11-20 21:00")
    assert "农膜：7 公斤" in block(found, "沙井乡")
    await boss.taps("沙井乡日报")
    boss.sees("沙井乡日报 2026-11-20", "18:00 到现在（21:00）", "计入 7 公斤")
    await boss.says("/digest 沙井乡 2026-11-20")
    boss.sees_not("到现在")
    await county.tick("2026-11-21 09:00")
    await boss.says("/townships 昨天")
    assert "农膜：0 公斤" in block(boss.sees("数据时间 11-19 18:00—11-20 18:00"), "沙井乡")


async def test_looking_leaves_no_trace_there(county: County) -> None:
    await a_friday(county)
    boss = await county_staff(county)
    before = await everything(county.shajing), await everything(county.yuanshan)
    for asked in ("县里各乡镇", "/townships 本月", "/digest 沙井乡", "/digest 沙井乡 2026-11-17"):
        await boss.says(asked)
        boss.sees("沙井乡")
    assert (await everything(county.shajing), await everything(county.yuanshan)) == before


async def test_another_county_is_not_seen(county: County) -> None:
    boss = await county_staff(county)
    await boss.says("全县情况")
    assert not any("远山" in part for part in (boss.last.text, *boss.last.labels))
    for said in ("远山镇", "远山", "629998101"):
        await boss.says(f"/digest {said} 2026-11-18")
        boss.sees(f"没有「{said}」这个乡镇", "青禾塬镇、沙井乡")


async def test_only_who_was_invited_for_the_county_sees_it(county: County) -> None:
    here = county.qinghe
    for role in ("", "cleaner", "station_keeper", "grid_keeper", "staff", "finance", "auditor", "admin"):
        someone = await here.person(f"{role or '村民'}甲乙".replace("_", ""), role=role)
        await someone.says("/townships")
        someone.sees("县级工作人员")
        someone.sees_not("沙井")
        await someone.says("/digest 沙井乡 2026-11-18")
        someone.sees_not("沙井乡日报")
        await someone.says("帮助")
        assert "县里各乡镇" not in someone.last.labels


async def test_no_admin_gives_the_county_away(county: County) -> None:
    admin = await county.qinghe.person("周主任", role="admin")
    await admin.says("发邀请")
    assert admin.last.labels and not any("县级" in label for label in admin.last.labels)
    await admin.says("县级工作人员")
    admin.sees_not("管哪里")


async def test_county_staff_do_not_work_in_the_townships(county: County) -> None:
    await a_friday(county)
    boss = await county_staff(county)
    for asked in ("/verify 2026-0001 true", "/reporter 2026-0001", "/cases", "/roles", "张三 15公斤", "/points 张三"):
        await boss.says(asked)
        boss.sees_not("赵大娘")
    states = "SELECT state FROM cases WHERE township_id = :t AND number = '2026-0001'"
    assert [row["state"] for row in await county.qinghe.rows(states)] == ["registered"]


async def test_days_that_are_none(county: County) -> None:
    boss = await county_staff(county)
    await boss.says("/townships 后天吧")
    boss.sees("没看懂「后天吧」")
    await boss.says("/townships 2026-11-30")
    boss.sees("还没到")
    await boss.says("/townships 2026-01-01 2026-11-01")
    boss.sees("最多看 31 天")
    await boss.says("/townships 2025-03-01")
    assert block(boss.sees("各乡镇 2025-03-01"), "沙井乡") == ["暂无数据"]
    await boss.says("/digest 沙井乡 2025-03-01")
    boss.sees("还没有启用")
    await boss.says("/digest 沙井乡 后天吧")
    boss.sees("没看懂「后天吧」")


async def test_what_goes_wrong_in_one_township_stops_the_clock_of_no_other(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = county.qinghe.app
    product, planned = app.product, list[int]()
    plan = product.plan

    async def breaks_in_the_first(desk: Any) -> None:
        planned.append(desk.tx.township_id)
        if len(planned) == 1:
            raise ValueError("a policy that nobody foresaw")
        await plan(desk)

    monkeypatch.setattr(app.schedule, "_product", Planning(product, breaks_in_the_first))
    await app.schedule.plan()
    assert len(planned) == len(set(planned)) > 1, "the others are planned all the same"
    assert [one.township_id for one in app.troubles.now() if one.part == "clock"] == planned[:1]
    county.qinghe.clock.advance(minutes=10)
    await app.schedule.plan()
    assert [one for one in app.troubles.now() if one.part == "clock"] == []


class Planning:
    """The product with another way to plan."""

    def __init__(self, product: Any, plan: Any) -> None:
        self._product, self.plan = product, plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._product, name)
