"""Many people at once who all want something, and whether each wish came true exactly once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from bot.talk.messages import In
from tests.example import example_with
from tests.fakes.botapi import FakeBotApi
from tests.process.program import Phone, Phones, Program
from tests.sim.chat.users import User, Wish
from tests.sim.plays.township import TownshipScript

VILLAGERS = 18
CLEANERS = 2
WISHES = 6
FINISH_S = 60.0
DEFECTS = ("batch_failed", "quarantined", "timer_failed", "step_failed", "delivery.defect", "tick_failed")


def example(folder: Path) -> Path:
    """The example township without its flood limit: these people are quick."""
    return example_with(folder, 100_000)


async def join_links(program: Program, role: str, area: str, number: int) -> list[str]:
    """Tokens of invitations made on the console."""
    tokens = []
    for _ in range(number):
        code, printed = await program.command("invite", "--role", role, "--area", area)
        assert code == 0, printed
        tokens.append(printed.strip().rpartition("join=")[2].partition("&")[0])
    return tokens


class Crowd:
    """Everybody, with what they want."""

    def __init__(self, api: FakeBotApi, program: Program, tokens: list[str]) -> None:
        self.program = program
        self.phones = Phones()
        self.content = asyncio.Event()
        self.people: list[User] = []
        for number in range(VILLAGERS):
            ways = ("form", "words", "words", "photo")
            wishes = [Wish(f"w{number:02}-{at}x", ways[(number + at) % 4]) for at in range(WISHES)]
            self._add(api, f"村民{number}", wishes)
        for number, token in enumerate(tokens):
            wishes = [Wish(f"{10 + 10 * number + at}.{at + 1}{number + 1}", "weigh") for at in range(WISHES)]
            cleaner = self._add(api, f"保洁员{number}", wishes)
            self.phones.says(cleaner.address, In("start", data=token))

    def begin(self) -> list[asyncio.Future[None]]:
        """Everybody begins; what carries their messages, to be ended with `end`."""
        carried = [
            asyncio.ensure_future(run)
            for phone in self.phones.all.values()
            for run in (phone.send_all(), phone.hear_all())
        ]
        for user in self.people:
            user.start()
        return carried

    async def finish(self, carried: list[asyncio.Future[None]]) -> None:
        """Wait until everybody has what they want and nothing is under way."""
        try:
            await asyncio.wait_for(self.content.wait(), FINISH_S)
        except TimeoutError:
            raise AssertionError(f"never done: {self.left}; {self.program.log[-300:]}") from None
        await until_sent(self.program)
        assert await self.program.stop() == 0
        for run in carried:
            run.cancel()
        await asyncio.gather(*carried, return_exceptions=True)

    def _add(self, api: FakeBotApi, name: str, wishes: list[Wish]) -> User:
        phone = Phone(api.user(name), self.program)
        self.phones.all[phone.address] = phone
        platform: object = self.phones
        later = asyncio.get_running_loop().call_later
        dice = random.Random(name)
        user = User(phone.address, platform, TownshipScript(), dice, wishes, later, self._content, 0.0)  # type: ignore[arg-type]
        user.truth = lambda wish: self.times(wish) > 0
        phone.listener = user.hears
        self.people.append(user)
        return user

    def times(self, wish: Wish) -> int:
        """How often a wish came true."""
        if wish.how == "weigh":
            sql = "SELECT COUNT(*) AS n FROM film_tickets WHERE gross_g = :grams"
            return int(self.program.rows(sql, grams=round(float(wish.token) * 1000))[0]["n"])
        sql = "SELECT COUNT(*) AS n FROM cases WHERE statement LIKE :ending"
        return int(self.program.rows(sql, ending=f"%{wish.token}")[0]["n"])

    def _content(self) -> None:
        if all(user.wish is None for user in self.people):
            self.content.set()

    @property
    def left(self) -> list[str]:
        """What is still wanted."""
        return [wish.token for user in self.people for wish in user.wishes if not wish.done]


async def until_sent(program: Program) -> None:
    """Wait until nothing is under way."""
    async with asyncio.timeout(FINISH_S):
        while program.rows(
            "SELECT 1 FROM outbox WHERE state = 'due' AND due_ms <= created_ms"
            " UNION ALL SELECT 1 FROM inbox WHERE state = 'new' LIMIT 1"
        ):
            await asyncio.sleep(0.1)


async def check(program: Program, crowd: Crowd) -> None:
    """Nothing lost, nothing doubled, everything whole."""
    wrong = {wish.token: times for user in crowd.people for wish in user.wishes if (times := crowd.times(wish)) != 1}
    assert not wrong, f"wanted once each: {wrong}"
    filed = program.rows(
        "SELECT (SELECT COUNT(*) FROM cases) AS cases, (SELECT COUNT(*) FROM film_tickets) AS tickets"
    )[0]
    assert (filed["cases"], filed["tickets"]) == (VILLAGERS * WISHES, CLEANERS * WISHES)
    states = program.rows("SELECT state, COUNT(*) AS n FROM inbox GROUP BY state")
    assert {row["state"] for row in states} == {"done"}
    faults = [fault for phone in crowd.phones.all.values() for fault in phone.faults()]
    assert not faults, faults[:5]
    for command in ("verify", "doctor"):
        code, printed = await program.command(command)
        assert code == 0, printed
    logged = [line for line in program.log.splitlines() if any(defect in line for defect in DEFECTS)]
    assert not logged, logged[:5]
