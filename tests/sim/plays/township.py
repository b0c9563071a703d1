"""The real product in the simulator: villagers report, a cleaner weighs film in, staff verify."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar

from bot.clock import TimeIds
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.talk.messages import In, Media, Out, Words
from handlers.areas.importer import import_folder
from handlers.checks import product_faults
from handlers.product import Township
from storage.database import Tx
from storage.engine.migrate import migrate
from storage.engine.sqlite import SqliteTx, connect, run_work
from storage.people import people
from storage.vault.vault import Sealing
from tests.example import EXAMPLE
from tests.sim.chat.platform import NAME
from tests.sim.chat.texts import ZONE
from tests.sim.chat.users import User, Wish
from tests.sim.faults import Chaos
from tests.sim.invariants import WATCHED
from tests.sim.play import START_MS, Chat, Stage, in_a_file, person
from tests.sim.sealed import new_vault

CARD = "N0123"  # a household of the example
RECEIPT = re.compile(r"编号 (20\d\d-\d+)")
TICKET = re.compile(r"F20\d\d-\d+")
STAFF = {"cleaner": "王家沟村", "staff": ""}
ODDITIES = (
    "我的积分",
    "我的补贴",
    "/mycases",
    "帮助",
    "谁负责王家沟",
    "/digest",
    "李四 3公斤",
    "/case 2026-9999",
    "/verify 1 true",
)


class Clock:
    """A clock that stands still."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


def make_township(path: Path, now_ms: int, townships: int, *, first: str = NAME) -> None:
    """The example township, once or twice, with a cleaner and a member of staff, known by their addresses; in the
    first one on the platform of that name.
    """
    migrate(path, now_ms=now_ms)
    connection = connect(path, synchronous="OFF")
    ids = TimeIds(Clock(now_ms))

    async def work(tx: Tx) -> None:
        await import_folder(tx, EXAMPLE, now_ms=now_ms, ids=ids)
        version = (await Township(ZONE, "https://chat.example").world(tx, now_ms)).policy.consent.version
        for role, area in STAFF.items():
            name = first if tx.township_id == 1 else NAME
            person_id, address = ids.next(), f"{name}:{role}"
            await people.add_person(tx, person_id=person_id, name=role, language="zh_CN", now_ms=now_ms)
            await people.set_person(tx, person_id, consent_version=version, consent_ms=now_ms)
            await people.add_contact(tx, channel=name, address=address, person_id=person_id, now_ms=now_ms)
            found = await tx.one(
                "SELECT area_id FROM areas WHERE township_id = :t AND until_ms IS NULL"
                " AND (name = :area OR (:area = '' AND level = 'town'))",
                {"area": area},
            )
            assert found is not None
            await people.grant(
                tx,
                role_id=ids.next(),
                person_id=person_id,
                role=role,
                area_id=found["area_id"],
                granted_by=None,
                now_ms=now_ms,
            )

    for township_id in range(1, townships + 1):
        run_work(connection, "BEGIN IMMEDIATE", work, SqliteTx(connection, township_id, sealing=Sealing(new_vault())))
    connection.executescript(WATCHED)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


class Rated(Township):
    """The township with a seed's own flood limit; its world is loaded once for all seeds."""

    rate = 0

    def messages_per_minute(self, world: Any) -> int:
        return self.rate


@lru_cache(maxsize=2)
def shared_product(townships: int) -> Rated:
    """One product for all lives and seeds: it remembers nothing but the places and the policies, read here."""
    product = Rated(ZONE, "https://chat.example")

    def read(path: Path, now_ms: int, townships: int) -> None:
        path.write_bytes(in_a_file(make_township, townships))
        connection = connect(path, synchronous="OFF")
        for township_id in range(1, townships + 1):
            tx = SqliteTx(connection, township_id)
            run_work(connection, "BEGIN", lambda tx: product.world(tx, START_MS), tx)
        connection.close()

    in_a_file(read, townships)
    return product


@lru_cache(maxsize=1)
def catalogues() -> Catalogues:
    """The real texts."""
    return Catalogues(ZONE)


class TownshipScript:
    """How people get along with the township's desk."""

    def __init__(self) -> None:
        self._receipts: set[str] = set()

    def begin(self, wish: Wish, dice: random.Random) -> In:
        match wish.how:
            case "weigh":
                return In("text", f"{CARD} {wish.token}公斤")
            case "photo":
                photo = Media("image", f"ref{dice.randrange(10**6)}", 1_000)
                return In("media", f"王家沟桥头有人倒垃圾 {wish.token}", media=(photo,))
            case "words":
                return In("text", f"王家沟桥头有人倒垃圾 {wish.token}")
        return In("text", "/report")

    def done(self, out: Out, wishes: Sequence[Wish]) -> list[Wish]:
        if TICKET.search(out.text):
            return [wish for wish in wishes if wish.how == "weigh" and f"{wish.token}公斤" in out.text][:1]
        found = RECEIPT.search(out.text)
        if found is None or "收到了" not in out.text or found[1] in self._receipts:
            return []
        self._receipts.add(found[1])
        return [wish for wish in wishes if wish.how != "weigh"][:1]

    def ask(self, number: int) -> In:
        return In("text", "/points")

    def is_answer(self, out: Out, number: int) -> bool:
        return False

    def good_review(self, out: Out, wish: Wish) -> bool:
        return (f"{wish.token}公斤" if wish.how == "weigh" else wish.token) in out.text

    def answer(self, out: Out, wish: Wish, dice: random.Random) -> In:
        if out.ask == "place":
            return dice.choice((In("place", lat=35.651781, lng=104.734687), In("text", "王家沟桥头")))
        if out.ask == "weight":
            return In("text", f"{wish.token}公斤" if wish.how == "weigh" else "3公斤")
        if out.ask == "date":
            return In("text", "今天")
        return In("text", CARD if wish.how == "weigh" else f"有人倒垃圾 {wish.token}")

    def edit(self, wish: Wish) -> str:
        return "@weight" if wish.how == "weigh" else "@statement"

    def oddity(self, dice: random.Random) -> In:
        return In("text", dice.choice(ODDITIES))


class Staff(User):
    """Somebody who verifies what they are told of, sometimes twice."""

    def hears(self, out: Out) -> None:
        for row in out.rows:
            for label, data, _ in row:
                if data.startswith("/verify ") and data.endswith(" true"):
                    for _ in range(self.dice.choice((1, 1, 2))):
                        self.call_later(
                            self.dice.random() * 3, self.platform.says, self.address, In("tap", label, data)
                        )


class TownshipPlay:
    """The example township."""

    make: ClassVar[Callable[[Path, int, int], None]] = staticmethod(make_township)

    def __init__(self, seed: int, chaos: Chaos) -> None:
        self._chaos = chaos
        self._dice = random.Random(f"{seed}:township")
        self._townships = chaos.weather.townships
        self.product: Any = shared_product(self._townships)
        self.product.rate = self._dice.choice((0, 0, 0, 20))
        self.catalogues = catalogues()
        self.errands: Mapping[str, Any] = {"media.fetch": self._fetch}

    def chat(self, township_id: int) -> Chat:
        return Chat()

    def rules(self) -> AbstractContextManager[None]:
        return nullcontext()

    def database(self) -> bytes:
        return in_a_file(self.make, self._townships)

    def people(self, stage: Stage) -> list[User]:
        dice = self._dice
        clumsiness = dice.choice((0.0, 0.08, 0.2))
        ways = ("form", "photo", "words", "words")
        users: list[User] = []
        name, kind = stage.platform.name, self.chat(stage.township_id).user
        letter, least_kg = "_wv"[stage.township_id], 10 * stage.township_id
        for number in range(dice.choice((1, 2, 3))):
            wishes = [Wish(f"{letter}{number}-{at}x", dice.choice(ways)) for at in range(dice.choice((1, 2, 3)))]
            users.append(person(stage, f"{name}:{number}", wishes, TownshipScript(), clumsiness, kind))
        if dice.random() < 0.6:
            weights = [
                Wish(f"{least_kg + at}.{dice.randrange(1, 10)}{dice.randrange(1, 10)}", "weigh")
                for at in range(dice.choice((1, 2, 4)))
            ]
            users.append(person(stage, f"{name}:cleaner", weights, TownshipScript(), clumsiness, kind))
        for user in users:
            user.truth = partial(is_there, stage.path, stage.township_id)
        users.append(person(stage, f"{name}:staff", [], TownshipScript(), 0.0, Staff))
        return users

    def always(self, connection: sqlite3.Connection, township_id: int) -> Sequence[str]:
        found = [
            f"case {row[0]} was verified {row[1]} times"
            for row in connection.execute(
                "SELECT e.case_id, COUNT(*) FROM case_events e WHERE e.township_id = ? AND e.event = 'verified'"
                " AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.township_id = e.township_id"
                " AND r.entry_id = e.id) GROUP BY e.case_id HAVING COUNT(*) > 1",
                (township_id,),
            )
        ]
        found += [
            f"case {row[0]} has a point without a datum"
            for row in connection.execute(
                "SELECT number FROM cases WHERE township_id = ? AND (lat IS NULL) <> (lng IS NULL)", (township_id,)
            )
        ]

        async def work(tx: Tx) -> dict[str, list[Words]]:
            return await product_faults(tx, await self.product.world(tx, START_MS))

        faults = run_work(connection, "BEGIN", work, SqliteTx(connection, township_id))
        return found + [f"{name}: {fault}" for name, broken in faults.items() for fault in broken]

    def at_the_end(self, connection: sqlite3.Connection, stage: Stage, now_ms: int) -> Sequence[str]:
        at = stage.township_id
        wishes = [wish for user in stage.users for wish in user.wishes]
        found = [
            f"{wish.token} was wanted once and is there {times} times"
            for wish in wishes
            if (times := count(connection, wish, at)) != 1
        ]
        if sum(count(connection, wish) for wish in wishes) != len(wishes):
            found.append("something is in another township too")
        waiting = connection.execute(
            "SELECT COUNT(*) FROM media WHERE township_id = ? AND state = 'fetching'", (at,)
        ).fetchone()[0]
        return [*found, *([f"{waiting} photos were never fetched"] if waiting else [])]

    async def _fetch(self, township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The errand that fetches a photo."""
        dice = self._chaos.dice
        await asyncio.sleep(dice.choice((0, 0.01, 2)))
        if self._chaos.chance(0.2):
            raise RetryLater(dice.choice((10, 2_000)), "slow")
        if self._chaos.chance(0.1):
            raise GiveUp("gone")
        if self._chaos.chance(0.1):
            return {"refused": "too_large"}
        return {"sha256": f"{dice.getrandbits(256):064x}", "mime": "image/jpeg", "size_bytes": 1_000}


def is_there(path: Path, township_id: int, wish: Wish) -> bool:
    """Whether a wish came true in a township, for somebody who goes and looks."""
    connection = connect(path, synchronous="OFF")
    try:
        return count(connection, wish, township_id) > 0
    finally:
        connection.close()


def count(connection: sqlite3.Connection, wish: Wish, township_id: int | None = None) -> int:
    """How often a wish came true, in a township or anywhere."""
    if wish.how == "weigh":
        what, value = "film_tickets WHERE gross_g = :value", f"{round(float(wish.token) * 1000)}"
    else:
        what, value = "cases WHERE statement LIKE :value", f"%{wish.token}"
    sql = f"SELECT COUNT(*) FROM {what} AND (:at IS NULL OR township_id = :at)"
    found = connection.execute(sql, {"value": value, "at": township_id})
    return int(found.fetchone()[0])
