"""A tiny product with everything the machine must carry: a gate, a form, commands, money, timers, errands, periods.

What it writes can be counted: each wish of a simulated person has a token of its own and must take effect once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import GiveUp, PersonError, RetryLater
from bot.talk.engine import SUBMIT
from bot.talk.form import Answer, Choice, Doubt, Form, FreeText, Photos, Place, Quantity, Reading, Wrong, YesNo
from bot.talk.messages import Button, In, Say, text
from bot.talk.session import Frame
from bot.turn import Desk, Dispatch, Intent, Turn
from storage.engine.migrate import migrate
from storage.engine.sqlite import connect
from storage.people import people
from storage.product.ledger import Overdrawn, Transfer, balance, transfer
from tests.sim.chat.texts import ZONE
from tests.sim.faults import Chaos
from tests.sim.invariants import WATCHED
from tests.sim.machine.loop import OWNER
from tests.unsealed import open_all

DAY_MS = 86_400_000
REVIEW = re.compile(r'"\w{5}\.(\d+)\.!"')
SCHEMA = """
CREATE TABLE sim_effects (township_id INTEGER NOT NULL, id INTEGER NOT NULL, person_id INTEGER NOT NULL,
    token TEXT NOT NULL, how TEXT NOT NULL, lat REAL, datum TEXT, pressed INTEGER, shown INTEGER,
    PRIMARY KEY (township_id, id)) STRICT;
CREATE INDEX sim_tokens ON sim_effects (township_id, person_id, token);
CREATE TABLE sim_counters (township_id INTEGER NOT NULL, person_id INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (township_id, person_id)) STRICT;
"""


class Defect(RuntimeError):
    """A defect of a handler, made on purpose."""


@dataclass(frozen=True, slots=True)
class SimFacts:
    """What the form's steps may know."""

    today: date

    def place_of(self, event: In) -> Reading:
        """A pin, or any words."""
        if event.kind == "place":
            return Answer({"label": "pin", "lat": event.lat, "lng": event.lng, "datum": event.datum})
        return Answer({"label": event.text[:40]}) if event.text.strip() else Wrong("no_words")


def read_amount(words: str, facts: Any) -> Reading:
    """1 to 50, more with a doubt, 1000 at most."""
    if not (words.isascii() and words.isdigit()) or not 1 <= int(words[:9]) <= 1_000:
        return Wrong("not_a_number")
    amount = int(words)
    return Doubt(amount, "much") if amount > 50 else Answer(amount)


async def add_effect(turn: Turn, token: str, how: str, place: Mapping[str, Any] | None = None) -> int:
    """A row, a counter and ten points for one thing done; its id."""
    effect_id = turn.ids.next()
    place = place or {}
    rev, _, verb = turn.event.data.partition(".")
    await turn.tx.run(
        "INSERT INTO sim_effects VALUES (:t, :id, :person_id, :token, :how, :lat, :datum, :pressed, :shown)",
        {
            "id": effect_id,
            "person_id": turn.person.id,
            "token": token,
            "how": how,
            "lat": place.get("lat"),
            "datum": place.get("datum"),
            "pressed": int(rev) if turn.event.kind == "tap" and verb == SUBMIT else None,
            "shown": await last_review(turn),
        },
    )
    await turn.tx.run(
        "INSERT INTO sim_counters VALUES (:t, :person_id, 1)"
        " ON CONFLICT (township_id, person_id) DO UPDATE SET n = sim_counters.n + 1",
        {"person_id": turn.person.id},
    )
    await transfer(
        turn.tx, points(turn, f"give:{effect_id}", "programme:sim", f"hold:{effect_id}", 10, f"wish:{token}")
    )
    turn.later("sim.settle", f"settle:{effect_id}", turn.now_ms + 3_000, effect=effect_id, person=turn.person.id)
    return effect_id


async def last_review(turn: Turn) -> int:
    """The revision of the newest review that was written for this person."""
    rows = await turn.tx.all(
        "SELECT body FROM outbox WHERE township_id = :t AND address = :address ORDER BY id DESC LIMIT 6",
        {"address": turn.person.address},
    )
    return max((int(rev) for row in await open_all(turn.tx, rows) for rev in REVIEW.findall(row["body"])), default=0)


def points(desk: Desk, key: str, source: str, destination: str, amount: int, ref: str) -> Transfer:
    """A transfer of points."""
    return Transfer(
        id=desk.ids.next(),
        source=source,
        destination=destination,
        amount=amount,
        unit="points",
        key=key,
        reason=key.partition(":")[0],
        ref=ref,
        policy_version=1,
        at_ms=desk.now_ms,
    )


async def agree(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Let the person in."""
    if not answers["agree"]:
        raise PersonError("must_agree", step="agree")
    await people.set_person(turn.tx, turn.person.id, consent_version=1, consent_ms=turn.now_ms)
    turn.person = replace(turn.person, consent_version=1)
    turn.reply(text("welcome"))


async def submit_gift(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The thing is done; each photo is fetched later."""
    effect_id = await add_effect(turn, answers["note"], "gift", answers.get("where"))
    for at, _ in enumerate(answers.get("photos") or ()):
        turn.later("sim.fetch", f"fetch:{effect_id}:{at}", turn.now_ms, photo=f"{effect_id}:{at}")
    turn.later("sim.shaky", f"shaky:{effect_id}", turn.now_ms + 500, shaky=f"shaky:{effect_id}")
    turn.reply(text("done", token=answers["note"]))


FORMS = {
    "hello": Form("hello", (YesNo(id="agree"),), agree, review=False),
    "gift": Form(
        "gift",
        (
            Choice(id="kind", options=("small", "large")),
            Photos(id="photos", optional=True, limit=3),
            Place(id="where", when=lambda answers: answers.get("kind") == "large"),
            Quantity(id="amount", parse=read_amount, optional=True),
            FreeText(id="note", max_chars=60),
        ),
        submit_gift,
    ),
}


class SimProduct:
    """The product of one seed."""

    forms: Mapping[str, Form] = FORMS

    def __init__(self, chaos: Chaos, rate: int) -> None:
        self._chaos = chaos
        self._rate = rate
        self._shaky: dict[str, int] = {}
        self._fetching: dict[str, list[Any]] = {}
        self.broken: list[str] = []
        self.timers: Mapping[str, Callable[[Desk, Mapping[str, Any]], Awaitable[None]]] = {
            "sim.settle": self._settle,
            "sim.daily": self._daily,
            "sim.shaky": self._shake,
            "sim.fetch": self._fetched,
        }
        self.errands = {"sim.fetch": self._fetch}

    async def world(self, tx: Any, now_ms: int) -> int:
        return self._rate

    def messages_per_minute(self, world: Any) -> int:
        return int(world)

    def facts(self, turn: Turn) -> SimFacts:
        return SimFacts(datetime.fromtimestamp(turn.now_ms / 1000, UTC).astimezone(ZONE).date())

    def before_gate(self, intent: Intent) -> bool:
        return False

    def gate(self, turn: Turn) -> str | None:
        return None if turn.person.consent_version == 1 else "hello"

    def addressed(self, turn: Turn) -> Intent | None:
        event = turn.event
        said = event.data if event.kind == "tap" else event.text if event.kind == "text" else ""
        if not said.startswith("/"):
            return None
        name, _, args = said[1:].partition(" ")
        return Intent(form=name) if name == "gift" else Intent(command=name, args=args)

    def phrase(self, turn: Turn) -> Intent | None:
        return self.addressed(turn)

    async def number(self, turn: Turn) -> Intent | None:
        """Nothing has a number."""
        return None

    async def other_matter(self, turn: Turn, *, takes_words: bool) -> Intent | None:
        """No words are surely another gift."""
        return None

    async def interpret(self, turn: Turn) -> Intent | None:
        event = turn.event
        if event.kind == "text" and event.text.startswith("gift "):
            return Intent(form="gift", answers={"kind": "small", "note": event.text[5:]})
        if event.kind == "media":
            photos = [[item.kind, item.ref, item.size_bytes] for item in event.media]
            return Intent(form="gift", answers={"photos": photos[:3]})
        return Intent(command="help")

    async def again(self, turn: Turn, frame: Frame) -> Intent | None:
        """No line takes the place of an open gift."""
        return None

    async def asks_first(self, turn: Turn, wanted: Any) -> None:
        """Nothing asks for anything."""

    async def may_open(self, turn: Turn, form: Form) -> None:
        """Everyone may."""

    async def command(self, turn: Turn, intent: Intent) -> None:
        action = getattr(self, f"do_{intent.command}", self.do_help)
        await action(turn, intent.args)

    async def do_help(self, turn: Turn, args: str) -> None:
        turn.reply(Say(text("help"), ((Button(text("gift"), "/gift"),),)))

    async def do_add(self, turn: Turn, token: str) -> None:
        await add_effect(turn, token, "add")
        turn.reply(text("done", token=token))

    async def do_mine(self, turn: Turn, number: str) -> None:
        rows = await turn.tx.all(
            "SELECT token FROM sim_effects WHERE township_id = :t AND person_id = :person_id ORDER BY id",
            {"person_id": turn.person.id},
        )
        turn.reply(text("mine", number=number, tokens=",".join(row["token"] for row in rows)))

    async def do_spend(self, turn: Turn, amount: str) -> None:
        key = f"spend:{turn.ids.next()}"
        try:
            await transfer(turn.tx, points(turn, key, f"person:{turn.person.id}", "programme:sim", int(amount), key))
        except Overdrawn as error:
            raise PersonError("overdrawn", have=error.balance) from None
        turn.reply(text("spent"))

    async def do_wave(self, turn: Turn, key: str) -> None:
        for row in await turn.tx.all("SELECT id FROM people WHERE township_id = :t ORDER BY id"):
            await turn.tell(row["id"], Say(text("wave")), Dispatch(f"wave:{key}"))

    async def do_refuse(self, turn: Turn, token: str) -> None:
        """Writes, promises and then refuses: nothing of it may stay."""
        await add_effect(turn, f"refused:{token}", "refused")
        turn.reply(text("done", token="refused"))
        raise PersonError("refused")

    async def do_boom(self, turn: Turn, token: str) -> None:
        """Writes and then fails: nothing of it may stay, and nobody else may notice."""
        await add_effect(turn, f"boom:{token}", "boom")
        raise Defect("boom")

    async def left(self, turn: Turn) -> None:
        await people.set_contact_state(turn.tx, turn.person.address, "unreachable")

    async def plan(self, desk: Desk) -> None:
        today = datetime.fromtimestamp(desk.now_ms / 1000, UTC).astimezone(ZONE)
        for day in (today + timedelta(days=ahead) for ahead in (-2, -1, 0, 1)):
            fire = day.replace(hour=8, minute=0, second=0, microsecond=0)
            desk.later("sim.daily", f"daily:{day:%Y-%m-%d}", int(fire.timestamp() * 1000), day=f"{day:%Y-%m-%d}")

    async def _daily(self, desk: Desk, payload: Mapping[str, Any]) -> None:
        day, until_ms = payload["day"], payload["fire_ms"] + DAY_MS // 4
        key = f"day:{desk.ids.next()}"
        await transfer(desk.tx, points(desk, key, "programme:sim", "fund:days", 1, f"day:{day}"))
        for row in await desk.tx.all("SELECT id FROM people WHERE township_id = :t ORDER BY id"):
            await desk.tell(row["id"], Say(text("daily")), Dispatch(f"daily:{day}", expires_ms=until_ms))

    async def _settle(self, desk: Desk, payload: Mapping[str, Any]) -> None:
        hold = f"hold:{payload['effect']}"
        amount = await balance(desk.tx, hold, "points")
        key = f"settle:{desk.ids.next()}"
        await transfer(desk.tx, points(desk, key, hold, f"person:{payload['person']}", amount, hold))
        await desk.tell(payload["person"], Say(text("settled")))

    async def _shake(self, desk: Desk, payload: Mapping[str, Any]) -> None:
        """Fails a few times, after having written."""
        key = f"shake:{desk.ids.next()}"
        await transfer(desk.tx, points(desk, key, "programme:sim", "fund:shaky", 1, payload["shaky"]))
        failures = self._shaky.setdefault(payload["shaky"], self._chaos.dice.choice((0, 0, 1, 2)))
        if failures and not self._chaos.calm:
            self._shaky[payload["shaky"]] -= 1
            raise Defect("shaky")

    async def _fetch(self, township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The errand: what a timer needs from outside. Two workers may do the same only if one was cut off."""
        dice = self._chaos.dice
        photo, life = f"{township_id} {payload['photo']}", OWNER.get()
        others = self._fetching.setdefault(photo, [])
        for other in others:
            if not (other.dead or other.cut or life.cut):
                self.broken.append(f"lives {other.number} and {life.number} fetch photo {photo} at the same time")
        others.append(life)
        try:
            await asyncio.sleep(dice.choice((0, 0, 0.05, 2)))
        finally:
            others.remove(life)
        if self._chaos.chance(0.1):
            raise RetryLater(dice.choice((10, 2_000)), "slow")
        if self._chaos.chance(0.05):
            raise GiveUp("gone")
        if self._chaos.chance(0.05):
            raise Defect("errand")
        return {"bytes": 7}

    async def _fetched(self, desk: Desk, payload: Mapping[str, Any]) -> None:
        key = f"fetched:{desk.ids.next()}"
        ref = f"fetch:{payload['photo']}"
        await transfer(desk.tx, points(desk, key, "programme:sim", "fund:fetched", 1, ref))


def make_template(path: Path, now_ms: int, townships: int) -> None:
    """Empty townships with this product's tables."""
    migrate(path, now_ms=now_ms)
    connection = connect(path, synchronous="OFF")
    connection.executescript(SCHEMA + WATCHED)
    connection.executemany("INSERT INTO turns (township_id) VALUES (?)", [(at + 1,) for at in range(townships)])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
