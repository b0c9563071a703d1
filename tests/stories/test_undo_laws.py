"""Whatever several people decide, take back and decide anew: points follow what stands, and the reporter hears each
decision that took effect once, and none that was taken back.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from storage.product import accounts
from tests.stories.doings import held, reports, the_case
from tests.stories.laws import a_town, told
from tests.stories.someone import Someone
from tests.stories.test_verify import whole
from tests.stories.town import Town

Action = tuple[str, int, int]
actions = st.lists(
    st.tuples(
        st.sampled_from(("true", "false", "takeback", "revise", "revise", "wait", "wait")),
        st.integers(0, 2),
        st.sampled_from((1, 4, 9, 11, 60)),
    ),
    min_size=4,
    max_size=14,
)


class Office:
    """Three who decide, one who reported, one case."""

    async def open(self, town: Town) -> None:
        self.town = town
        self.staff = [
            await town.person("赵网格", role="grid_keeper", area="王家沟"),
            await town.person("李主任", role="staff"),
            await town.person("周干事", role="staff"),
        ]
        self.aunt = await town.person("王大娘")
        self.number = await reports(self.aunt)
        self.reward = accounts.granted(int(str((await the_case(town, self.number))["id"])))

    async def does(self, action: Action) -> None:
        """One thing; what can't be done now is refused, and changes nothing."""
        what, who, minutes = action
        someone = self.staff[who]
        if what == "wait":
            self.town.clock.advance(minutes=minutes)
            await self.town.tick()
        elif what == "takeback":
            await someone.says(f"/takeback {self.number}")
        elif what == "revise":
            await self._revises(someone, minutes)
        else:
            await someone.says(f"/verify {self.number} {what}")
            for label in ("现场没有发现", "确定不属实", "确定属实"):
                if label in someone.last.labels:
                    await someone.taps(label)

    async def _revises(self, someone: Someone, minutes: int) -> None:
        await someone.says(f"/revise {self.number}")
        open_to = [label for label in ("属实", "不属实") if label in someone.last.labels]
        if not open_to:
            return
        await someone.taps(open_to[minutes % len(open_to)])
        if "为什么改" in someone.last.text:
            await someone.says("又去看了一遍")
            await someone.taps("确定改判")

    async def holds(self) -> None:
        """What must hold at every moment."""
        case = await the_case(self.town, self.number)
        pending = case["settles_ms"] is not None
        stands = "registered" if pending else case["state"]
        points = await held(self.town)
        assert points.get(self.reward, 0) == (5 if stands == "verified" else 0), (case["state"], pending)
        assert points["programme:reports"] == (0 if stands == "rejected" else -5)
        decided = await self._count("case_events WHERE township_id = :t AND event IN ('verified', 'rejected')")
        taken_back = await self._count("reversals WHERE township_id = :t AND kind = 'withdrawn'")
        results = [one.text for one in self.aunt.heard if self.number in one.text and "收到了" not in one.text]
        assert len(results) == decided - taken_back - pending
        if results:
            assert ("是真的" in results[-1]) == (stands == "verified")
        await whole(self.town)

    async def _count(self, rows: str) -> int:
        return int((await self.town.rows(f"SELECT COUNT(*) AS n FROM {rows}"))[0]["n"])


async def play(template: Path, done: list[Action]) -> None:
    """A few hours in a township of its own."""
    async with a_town(template) as town:
        office = Office()
        await office.open(town)
        for action in (*done, ("wait", 0, 11)):
            await office.does(action)
            await office.holds()


@told(12)
@given(actions)
def test_points_and_words_follow_what_stands(sqlite_template: Path, done: list[Action]) -> None:
    asyncio.run(play(sqlite_template, done))
