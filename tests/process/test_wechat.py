"""WeChat on several workers: those that take pushes and those that answer them die in turn."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_people import User
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.process.crowd import DEFECTS, example
from tests.process.program import LookAtServer, Program
from tests.stories.town import wechat_settings
from tests.unsealed import opened_by, pseudonyms_by

PEOPLE, WISHES, KILLS = 12, 3, 10
LATE_S = 8.0  # what could not be the reply comes by itself by then
NUMBER = re.compile(r"收到了[\s\S]*?(2026-\d{4}|20\d\d-\d{4})")


class Office:
    """Two workers that take pushes, two that do the rest, one database."""

    def __init__(self, folder: Path, wechat: FakeWeChat, url: str) -> None:
        self.rows = LookAtServer(url)
        self.wechat = wechat
        self._ports = [free_port(), free_port()]
        self._turn = 0
        own = {name.upper(): str(value) for name, value in wechat_settings(wechat).items() if isinstance(value, str)}
        shared = {**own, "DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
        parts = ["web", "web", "intake,delivery,clock", "intake,delivery,clock"]
        self.workers = [
            Program(
                folder / f"worker{at}",
                None,
                self.rows,
                only=only,
                **shared,
                **({"WEB_PORT": str(self._ports[at])} if only == "web" else {}),
            )
            for at, only in enumerate(parts)
        ]
        for worker in self.workers:
            worker.folder.mkdir()
        wechat.world.deliver = self._deliver

    async def _deliver(self, query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """As a balancer does: each try to the next worker; raises when that one is down."""
        self._turn += 1
        port = self._ports[self._turn % 2]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{port}/wechat", params=query, data=body) as answer,
        ):
            return answer.status, await answer.read()

    async def start(self) -> None:
        for worker in self.workers:
            await worker.start()
        await asyncio.gather(*(worker.serves() for worker in self.workers))

    async def restart(self, worker: Program) -> None:
        await worker.start()
        await worker.serves()


@pytest.fixture
async def office(durable_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Office]:
    """Workers, not started yet, with the example township imported."""
    url = await durable_postgres.fresh()
    async with FakeWeChat() as wechat:
        made = Office(tmp_path, wechat, url)
        code, printed = await made.workers[0].command("import", str(example(tmp_path / "township")))
        assert code == 0, printed
        try:
            yield made
        finally:
            for worker in made.workers:
                await worker.end()
            made.rows.close()


async def live(user: User) -> None:
    """Answers what is on the screen until all wishes are told to be registered; speaks again when nothing comes."""
    seen = user.contact.seen
    while len([one for one in seen if NUMBER.search(one.text)]) < WISHES:
        before = len(seen)
        labels = seen[-1].labels if seen else []
        wanted = next((one for one in ("同意", "提交", "跳过") if any(one in label for label in labels)), "")
        await (user.picks(wanted) if wanted else user.says("王家沟桥头有人倒垃圾"))
        with suppress(TimeoutError):
            async with asyncio.timeout(LATE_S):
                while len(seen) == before:  # it may come by itself, later
                    await asyncio.sleep(0.02)
        if len(seen) == before:
            await user.says("王家沟桥头有人倒垃圾")


async def incidents(office: Office, dice: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(0.2, 1.2))
        victim = dice.choice(office.workers)
        await victim.kill()
        await asyncio.sleep(dice.uniform(0.0, 0.5))
        await office.restart(victim)


@pytest.mark.process
async def test_every_case_is_told_once_whoever_dies(office: Office, dice: random.Random) -> None:
    await office.start()
    people = [office.wechat.user(f"村民{number}") for number in range(PEOPLE)]
    async with asyncio.timeout(240):
        await asyncio.gather(incidents(office, dice), *(live(user) for user in people))
        await asyncio.sleep(LATE_S)
    told = {user.openid: Counter(NUMBER.findall("\n".join(one.text for one in user.contact.seen))) for user in people}
    key_file = office.workers[0].key_file
    sealed = office.rows(
        "SELECT c.number, r.sealed FROM cases c JOIN case_reporters r ON r.township_id = c.township_id"
        " AND r.case_id = c.id WHERE c.township_id = 1"
    )
    address_of = {row["person_id"]: row["address"] for row in office.rows("SELECT person_id, address FROM contacts")}
    cases = [
        {"number": row["number"], "address": address_of[orjson.loads(row["sealed"])[1]]}
        for row in opened_by(office.rows, key_file, sealed)
    ]
    assert len(cases) >= PEOPLE * WISHES
    called = pseudonyms_by(office.rows, key_file)
    by_person = {user.openid: user for user in people}
    repeated = 0
    for case in cases:
        user = by_person[called.behind(case["address"])]
        times = told[user.openid][case["number"]]
        assert times or user.broken, f"{case['number']} was never told, and WeChat showed no failure"
        repeated += max(0, times - 1)
    assert repeated <= KILLS, "only what was sent but not written down when a worker died comes again"
    known = {case["number"] for case in cases}
    assert all(number in known for numbers in told.values() for number in numbers), "a case was told that is none"
    new = office.rows("SELECT COUNT(*) AS n FROM inbox WHERE township_id = 1 AND state = 'new'")
    assert new[0]["n"] == 0
    assert not [one for one in office.wechat.violations if "outside 48 h" not in one], office.wechat.violations
    assert max(await asyncio.gather(*(worker.stop() for worker in office.workers))) == 0
    log = "".join(worker.log for worker in office.workers)
    assert not [word for word in DEFECTS if word in log]
