"""One fact, one figure: days of mixed work, after which everything that says the same thing says the same figure."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import Catalogues
from bot.turn import Desk
from handlers.declared import read_figures
from handlers.duties.rollcall import load
from handlers.film.figures import UNITS
from storage.database import Tx
from storage.product import film_figures
from tests.stories.doings import balance, reports
from tests.stories.laws import a_town, told
from tests.stories.town import ZONE, StoryDice, Town

CARDS = ("N0123", "N0118", "N0104")
VILLAGES = ("王家沟", "李家湾", "阳坡", "陈家塬")
PLACES = ("桥头", "小学", "学校门口")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FIRST = "2026-11-19 16:00"  # a Thursday: the digest, midnight, the clean-up and its end are near

OFTEN = ("weigh", "weigh", "weigh", "correct", "clean", "clean", "report", "report", "wait", "wait")
SO_FAR = "还没到点"
Action = tuple[str, int, int]
actions = st.lists(
    st.tuples(
        st.sampled_from((*OFTEN, "heavy", "approve", "refuse", "void", "unweigh", "own_clean", "verify", "reject")),
        st.integers(0, 5),
        st.integers(1, 30),
    ),
    min_size=8,
    max_size=30,
)


class Days:
    """A township, its people, and what they have done so far."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cases: list[str] = []

    async def people(self) -> None:
        """Everybody who works, and a villager."""
        town = self.town
        self.staff = await town.person("王干事", role="staff")
        self.other = await town.person("周干事", role="staff")
        self.keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
        self.near = await town.person("李师傅", role="cleaner", area="王家沟")
        self.wide = await town.person("钱师傅", role="cleaner")
        self.aunt = await town.person("王大娘")
        self.weighers = (self.near, self.wide, self.other)

    async def does(self, action: Action) -> None:
        """One thing; what has nothing to work on does nothing."""
        kind, which, amount = action
        town = self.town
        town.clock.advance(minutes=11)
        if kind == "wait":
            town.clock.advance(hours=amount / 2)
            await town.tick()
        elif kind in ("weigh", "heavy"):
            weigher = self.weighers[which % 3]
            await weigher.says(f"{CARDS[which % 3]} {amount + (1_200 if kind == 'heavy' else 0)}公斤")
            await weigher.taps("记账")
            if "对，记上" in weigher.last.labels:
                await weigher.taps("对，记上")
        elif kind in ("approve", "refuse"):
            await self._decides(kind, which)
        elif kind in ("correct", "void"):
            await self._corrects(kind, which, amount)
        elif kind == "unweigh":
            weigher = self.weighers[which % 3]
            await weigher.says(f"{CARDS[which % 3]} {amount}公斤")
            await weigher.taps("记账")
            await weigher.taps("撤回")
        elif kind in ("clean", "own_clean"):
            await self._cleans(kind, which, amount)
        elif kind == "report":
            self.cases.append(await reports(self.aunt, f"王家沟{PLACES[which % 3]}有人倒垃圾"))
        elif self.cases:
            number = self.cases.pop(which % len(self.cases))
            await self.keeper.says(f"/verify {number} {'true' if kind == 'verify' else 'false'}")
            if kind == "reject":
                await self.keeper.taps("现场没有发现")
                await self.keeper.taps("确定不属实")
            elif "确定算属实吗" in self.keeper.last.text:  # a place reported twice
                await self.keeper.taps("确定属实")

    async def _tickets(self, *states: str) -> list[Any]:
        state = (
            "(SELECT e.kind FROM film_ticket_events e WHERE e.township_id = :t AND e.ticket_id = k.id"
            " ORDER BY e.id DESC LIMIT 1)"
        )
        rows = await self.town.rows(f"SELECT k.*, {state} AS state FROM film_tickets k WHERE k.township_id = :t")
        return [row for row in rows if row["state"] in states]

    async def _decides(self, kind: str, which: int) -> None:
        waiting = await self._tickets("held")
        if not waiting:
            return
        ticket = waiting[which % len(waiting)]
        for someone in (self.staff, self.other):  # one of the two may have weighed or corrected it
            await someone.says(f"/weight {ticket['id']} {'ok' if kind == 'approve' else 'no'}")
            if kind == "refuse" and "为什么不认" in someone.last.text:
                await someone.says("秤坏了")

    async def _corrects(self, kind: str, which: int, amount: int) -> None:
        standing = await self._tickets("counted", "approved")
        if not standing:
            return
        await self.staff.says(f"/correct {standing[which % len(standing)]['number']}")
        await self.staff.taps("整单作废" if kind == "void" else "重量")
        if kind == "correct":
            await self.staff.says(f"{amount + 40}公斤")
        await self.staff.says("看错了")
        await self.staff.taps("确认更正")

    async def _cleans(self, kind: str, which: int, amount: int) -> None:
        someone = self.keeper if kind == "own_clean" else self.wide
        village = "王家沟" if kind == "own_clean" else VILLAGES[which % 4]
        await someone.says(f"整治 {village} {amount}人 {which}车 {amount}方")
        days = [label for label in someone.last.labels if label.startswith(("昨天", "前天", "今天"))]
        if days:
            await someone.taps(days[which % len(days)])
        await someone.taps("提交")

    async def look(self, work: Any) -> Any:
        """Read with a desk of the township."""
        town = self.town

        async def reading(tx: Tx) -> Any:
            world = await town.app.product.world(tx, town.clock.now_ms())
            desk = Desk(
                tx=tx,
                now_ms=town.clock.now_ms(),
                ids=town.app.ids,
                dice=StoryDice(),
                catalogues=Catalogues(world.zone),
                world=world,
            )
            return await work(desk)

        return await town.app.database.read(reading)

    # -- what must agree

    async def agree(self) -> None:
        """Compare everything that says the same thing."""
        await self._tickets_agree()
        await self._ledger_agrees()
        await self._cleaning_agrees()
        await self._waiting_agrees()

    async def _tickets_agree(self) -> None:
        """Each day's sums of all who weigh are the township's; a person's own list and the digest print them."""
        town = self.town
        weighers = (*self.weighers, self.staff)
        ids = [await someone.person_id() for someone in weighers]

        async def sums(desk: Any) -> Any:
            today = desk.world.day(desk.now_ms)
            end_ms = desk.world.moment_ms(today, time()) + DAY_MS
            found = []
            for until_ms in range(end_ms - 6 * DAY_MS, end_ms + 1, DAY_MS):
                span = {"from_ms": until_ms - DAY_MS, "until_ms": until_ms}
                mine = [film_figures.added_up(await film_figures.of_weigher(desk.tx, one, **span)) for one in ids]
                villages = (await film_figures.by_village(desk.tx, **span)).values()
                found.append((mine, list(villages)))
            return found

        days = await self.look(sums)
        for mine, villages in days:
            assert sum(mine, film_figures.FilmFigures()) == sum(villages, film_figures.FilmFigures())
        for someone, figures in zip(weighers, days[-1][0], strict=True):
            await someone.says("今日称重")
            if figures != film_figures.FilmFigures():
                head = numbers(someone.last.text, "折净", "县补", "镇补", "积分")
                fen = (figures.county_fen / 100, figures.township_fen / 100)
                assert head == [figures.accepted_g / 1000, *fen, figures.points]
                lines = re.findall(r" (-?[\d.]+)公斤 F\d+-\d{5}(?!（待)", someone.last.text)
                assert round(sum(map(float, lines)), 2) == head[0]
        await town.tick()

    async def _ledger_agrees(self) -> None:
        """What tickets that stand give is what all days' figures add up to, and what households have."""
        standing = await self._tickets("counted", "approved", "objected", "upheld")

        async def all_time(desk: Any) -> Any:
            figures = (desk.world.declared.figures[f"film.{name}"] for name in UNITS)
            return await read_figures(figures, desk.tx, 0, desk.now_ms + 1)

        figures = await self.look(all_time)
        for name in ("accepted_g", "county_fen", "township_fen", "points"):
            assert sum(figures[f"film.{name}"].values()) == sum(ticket[name] for ticket in standing), name
        counts = {name: sum(figures[f"film.{name}"].values()) for name in ("tickets", "reversed_tickets")}
        assert counts["tickets"] - counts["reversed_tickets"] == len(standing)
        for unit, names in (("fen", ("county_fen", "township_fen")), ("points", ("points",))):
            had = sum([await balance(self.town, unit, card) for card in CARDS])
            assert had == sum(ticket[name] for ticket in standing for name in names), unit

    async def _cleaning_agrees(self) -> None:
        """Receipt, roll-call, one page, digest and the county's own reading count a clean-up alike."""
        boss = self.staff
        for day in ("2026-11-20", "2026-11-27"):
            if self.town.clock.now_ms() < ms_of(day):
                continue

            async def roll(desk: Any, day: str = day) -> Any:
                return await load(desk, desk.world.day(ms_of(day)))

            found = await self.look(roll)
            said = f"已报 {len(found.reported)}/24"
            await boss.says(f"/rollcall {day}")
            boss.sees(said)
            await boss.says(f"/friday {day}")
            page = boss.sees(said).text
            for effort in found.totals:
                assert f"\n{effort.milli / 1000:g} " in page
            await boss.says("日报")
            if SO_FAR in boss.last.text and f"【集中整治 {day}】" in boss.last.text:
                part = boss.last.text.split(f"【集中整治 {day}】\n")[1].split("\n\n")[0].split("\n")
                assert part[0] == f"{said} 村"
                totals = page.split("合计\n")[1].split("\n各村")[0].split("\n")
                assert part[1:] == totals

    async def _waiting_agrees(self) -> None:
        """What waits is the same number in the digest, on the to-do list and in the rows."""
        held = len(await self._tickets("held", "objected"))
        await self.staff.says("日报")
        digest = self.staff.last.text
        if SO_FAR not in digest:
            return  # that one is of six o'clock
        await self.staff.says("/todo")
        todo = self.staff.last.text
        for count, printed, listed in (
            (len(self.cases), "待核实 {} 件", "待核实举报 {} 件"),
            (held, "待处理称重单 {} 张", "待处理称重单 {} 张"),
        ):
            assert (printed.format(count) in digest) == (listed.format(count) in todo) == bool(count)


def numbers(said: str, *names: str) -> list[float]:
    """The number behind each word."""
    return [float(re.search(rf"{name} ?(-?[\d.]+)", said)[1]) for name in names]  # type: ignore[index]


def ms_of(day: str) -> int:
    """When a day of the township begins."""
    return int(datetime.fromisoformat(day).replace(tzinfo=ZONE).timestamp() * 1000)


async def play(template: Path, done: list[Action]) -> None:
    """Some days in a township of its own."""
    async with a_town(template) as town:
        town.clock.go_to(FIRST)
        days = Days(town)
        await days.people()
        await town.tick()
        for action in done:
            await days.does(action)
        await days.agree()
        noon_ms = (town.clock.now_ms() + 8 * HOUR_MS) // DAY_MS * DAY_MS + DAY_MS + 4 * HOUR_MS
        town.clock.ms = noon_ms  # of the next day: the digest is of what holds now
        await town.tick()
        await days.agree()


@told(6)
@given(actions)
def test_all_that_says_the_same_thing_says_the_same_figure(sqlite_template: Path, done: list[Action]) -> None:
    asyncio.run(play(sqlite_template, done))
