"""What somebody sees, live and after a reload, stands in the order in which it reached them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.talk.messages import Say
from bot.turn import Dispatch
from bot.web import history
from storage.database import Tx
from storage.machine import holding
from storage.people import people
from tests.stories.laws import a_town, told
from tests.stories.someone import Someone
from tests.stories.town import Town

MINUTE_MS = 60_000
Line = tuple[str, str]  # from, text
Action = tuple[str, int, bool]
actions = st.lists(
    st.tuples(
        st.sampled_from(("tell", "tell", "hold", "hold", "hold", "write", "look", "wait")),
        st.integers(1, 40),
        st.booleans(),
    ),
    min_size=4,
    max_size=16,
)


class Night:
    """One villager with the page, what they saw in turn, and what is told to them meanwhile."""

    def __init__(self, town: Town, aunt: Someone) -> None:
        self.town, self.aunt = town, aunt
        self.seen: list[Line] = []
        self.told = 0

    async def does(self, action: Action) -> None:
        """One thing, and what it brings."""
        kind, minutes, only_quiet = action
        self.town.clock.advance(minutes=1)
        if kind in ("tell", "hold"):
            self.told += 1
            due_ms = self.town.clock.now_ms() + minutes * MINUTE_MS if kind == "hold" else None
            await self.tell(f"第 {self.told} 件", Dispatch(due_ms=due_ms, unless_here=only_quiet))
        elif kind == "write":
            said = f"第 {len(self.seen)} 句"
            self.seen.append(("me", said))
            await self.aunt.says(said)
            self.looks_at_news()
        elif kind == "look":
            await self.town.app.database.transaction(self._looks)
        else:
            self.town.clock.advance(minutes=minutes)
        await self.town.tick()
        self.looks_at_news()

    def looks_at_news(self) -> None:
        """What has come since."""
        self.seen += [("bot", heard.text) for heard in self.aunt.news]
        self.aunt.news.clear()

    async def tell(self, said: str, how: Dispatch) -> None:
        """Something is decided about them."""
        schedule, person_id = self.town.app.schedule, await self.aunt.person_id()

        async def work(tx: Tx) -> None:
            desk = await schedule._desk(tx)
            assert await desk.tell(person_id, Say(said), how)
            await schedule._write(desk)

        await self.town.app.database.transaction(work)

    async def _looks(self, tx: Tx) -> None:
        now_ms = self.town.clock.now_ms()
        person_id = await people.looks(tx, self.aunt.driver.address, now_ms=now_ms)
        assert person_id is not None
        await holding.release_for(tx, [person_id], now_ms=now_ms)

    async def reloaded(self) -> list[Line]:
        """What the page shows when it is opened anew."""

        async def work(tx: Tx) -> list[Line]:
            catalogues, now_ms = self.town.app.catalogues, self.town.clock.now_ms()
            address = self.aunt.driver.address
            lines, _ = await history.before(tx, address, catalogues, before_id=history.NEWEST, limit=200, now_ms=now_ms)
            return [(line.message["from"], line.message["text"]) for line in lines]

        return await self.town.app.database.read(work)


async def play(template: Path, done: list[Action]) -> None:
    """A night in a township of its own."""
    async with a_town(template) as town:
        aunt = await town.person("王大娘")
        await town.tick()
        night = Night(town, aunt)
        before = await night.reloaded()
        aunt.news.clear()
        for action in done:
            await night.does(action)
        town.clock.advance(minutes=60)
        await town.tick()
        night.looks_at_news()
        assert await night.reloaded() == before + night.seen
        told = [said for _, said in night.seen if said.startswith("第") and said.endswith("件")]
        assert len(told) == len(set(told)) == night.told, "each once"


@told(12)
@given(actions)
def test_history_stands_in_the_order_of_delivery(sqlite_template: Path, done: list[Action]) -> None:
    asyncio.run(play(sqlite_template, done))
