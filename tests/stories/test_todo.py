"""«待办»: what waits for a person, every kind together, the urgent and the late first."""

from __future__ import annotations

from typing import Any

from bot.i18n import Catalogues
from bot.turn import Desk, Role
from handlers.declared import Backlog
from handlers.waiting import waiting_for
from storage.database import Tx
from tests.stories.doings import belongs, cleaner_of, reports, weighs
from tests.stories.test_households_of_people import claims
from tests.stories.town import Someone, Town


async def weighs_too_much(cleaner: Someone) -> None:
    """A weight that staff must approve."""
    await weighs(cleaner, "张三 1.5吨")
    await cleaner.taps("对，记上")


async def test_everything_that_waits_stands_in_one_list(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    other = await town.person("别村网格", role="grid_keeper", area="柳树湾")
    cleaner = await cleaner_of(town)
    aunt = await town.person("孙雪梅")
    await staff.says("待办")
    staff.sees("现在没有等您办的事")
    dump = await reports(aunt)
    town.clock.advance(hours=25)
    await town.tick()
    fresh = await reports(aunt, "王家沟小学有人倒垃圾")
    fire = await reports(aunt, "王家沟桥头有人烧垃圾")
    await claims(aunt, "孙雪梅", "我是家里人")
    await weighs_too_much(cleaner)

    await staff.says("待办")
    heard = staff.sees("等您办的有 5 件", "待核实举报 3 件，超时 1 件", "待处理称重单 1 张", "待确认家庭绑定 1 个")
    order = [heard.text.index(one) for one in (f"急 {fire}", f"超时 {dump}", fresh, "待确认家庭绑定", "待处理称重单")]
    assert order == sorted(order)
    assert f"{fresh} 王家沟村 乱倒垃圾，11-19 11:00 起" in heard.text
    assert "N0104 王家沟村 张家社，11-19" in heard.text
    for label in (fire, dump, fresh, "全部待核实", "全部待处理称重单", "全部待确认绑定"):
        assert label in heard.labels
    await keeper.says("我的待办")
    assert "称重单" not in keeper.sees("等您办的有 4 件", "待核实举报 3 件").text
    await other.says("待办")
    other.sees("现在没有等您办的事")
    await aunt.says("待办")
    aunt.sees("网格员或镇上工作人员")

    await staff.taps("全部待处理称重单", on=heard)
    listed = staff.sees("待处理称重单 1 张", "待镇上确认")
    await staff.taps(listed.labels[0])
    await staff.taps("认可")
    await staff.says("/todo film")
    staff.sees("现在没有等您办的事")
    await staff.says("/todo")
    await staff.taps(fire)
    await staff.taps("属实")
    await staff.says("/todo")
    assert "急" not in staff.sees("待核实举报 2 件").text


async def test_what_nobody_settled_for_a_day_is_late(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    cleaner = await cleaner_of(town)
    aunt = await town.person("孙雪梅")
    await claims(aunt, "孙雪梅", "我是家里人")
    await weighs_too_much(cleaner)
    town.clock.advance(hours=25)
    await staff.says("待办")
    staff.sees("待处理称重单 1 张，超过一天 1 张", "待确认家庭绑定 1 个，超过一天 1 个", "超时 F2026-")


class CountingTx:
    """Counts the queries of a transaction."""

    def __init__(self, tx: Tx) -> None:
        self.real, self.queries = tx, 0

    async def all(self, sql: str, params: Any = None) -> Any:
        self.queries += 1
        return await self.real.all(sql, params)

    one = None  # the count needs no other kind of query


async def test_the_count_for_the_menu_asks_once_for_each_kind_that_somebody_decides(town: Town) -> None:
    aunt = await town.person("孙雪梅")
    cleaner = await cleaner_of(town)
    await belongs(town, cleaner)
    await reports(aunt)
    await weighs_too_much(cleaner)
    areas = {name: await town.area_id(name) for name in ("青禾塬镇", "王家沟", "柳树湾")}

    async def count(*roles: Role) -> tuple[Any, int]:
        async def work(tx: Tx) -> tuple[Any, int]:
            app, counting = town.app, CountingTx(tx)
            world = await app.product.world(tx, town.clock.now_ms())
            desk = Desk(
                tx=counting,  # type: ignore[arg-type]
                now_ms=town.clock.now_ms(),
                ids=None,  # type: ignore[arg-type]
                dice=None,  # type: ignore[arg-type]
                catalogues=Catalogues(world.zone),
                world=world,
            )
            return await waiting_for(desk, roles), counting.queries

        return await town.app.database.read(work)

    assert await count() == ({}, 0)
    assert await count(Role("cleaner", areas["王家沟"]), Role("auditor", areas["青禾塬镇"])) == ({}, 0)
    assert await count(Role("grid_keeper", areas["柳树湾"])) == ({}, 2)
    assert await count(Role("grid_keeper", areas["王家沟"])) == ({"cases": Backlog(1, 0)}, 2)
    both = {"cases": Backlog(1, 0), "film": Backlog(1, 0)}
    assert await count(Role("staff", areas["青禾塬镇"])) == (both, 3)


async def test_what_is_due_soonest_stands_first_though_it_came_last(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    dump = await reports(aunt, "王家沟小学有人倒垃圾")
    town.clock.advance(minutes=50)
    cart = await reports(aunt, "王家沟桥头三轮车抛洒")
    town.clock.advance(minutes=50)
    fire = await reports(aunt, "李家湾桥头有人烧垃圾")
    for said in ("待核实", "待办", "/todo cases"):
        await staff.says(said)
        assert sorted((dump, cart, fire), key=staff.last.text.index) == [fire, cart, dump], said
