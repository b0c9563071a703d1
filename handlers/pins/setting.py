"""`/pin`: somebody whose job asks for a PIN sets one, typing it twice; who has one types that first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Form, FreeText, Secret
from bot.talk.messages import Say, text
from bot.turn import Dispatch
from handlers.people.actions import private
from handlers.pins import rules
from handlers.pins.asking import NEW, ask_again, go_on, holds, is_right, note
from handlers.world import Desk, Turn
from storage.people import people
from storage.security import pins
from storage.vault.slow import is_hash_of, slow_hash

CHANGE, AGAIN = "pin_change", "pin_again"


async def pin(turn: Turn, args: str) -> None:
    """`/pin`: set or change one's own. Digits that come with the command are not taken, and not left standing."""
    private(turn)
    if args.strip():
        turn.hidden = True
        raise PersonError("pin_not_here")
    if not rules.is_asked(turn.person.roles, turn.world.policy.step_up.asks):
        turn.reply(text("pin.not_needed"))
        return
    turn.open(NEW if await pins.hash_of(turn.tx, turn.person.id) is None else CHANGE, then="")


def brings_digits(turn: Turn, rest: str) -> bool:
    """Whether words behind the command hold digits."""
    return any(one.isdigit() for one in rest)


async def submit_change(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The old one was typed."""
    if await is_right(turn, str(answers["pin"]), CHANGE, str(answers["then"])):
        turn.open(NEW, then=answers["then"])


async def submit_new(turn: Turn, answers: Mapping[str, Any]) -> None:
    """A new one was typed, for the first time: only its hash waits for the second."""
    digits = str(answers["pin"])
    if rules.is_easy(digits):
        raise PersonError("pin_easy", step="pin")
    turn.open(AGAIN, then=answers["then"], kept=await slow_hash(turn.tx, pins.WHAT, digits))


async def submit_again(turn: Turn, answers: Mapping[str, Any]) -> None:
    """It was typed twice: from now on it is theirs. Who has one must have given it here a moment ago."""
    then, kept = str(answers["then"]), str(answers["kept"])
    if not await is_hash_of(turn.tx, kept, pins.WHAT, str(answers["pin"])):
        ask_again(turn, NEW, then, text("pin.differ"))
        return
    had_one = await pins.hash_of(turn.tx, turn.person.id) is not None
    if had_one and not await holds(turn):
        ask_again(turn, CHANGE, then, text("pin.too_late"))
        return
    await pins.keep(turn.tx, turn.person.id, kept, now_ms=turn.now_ms)
    await note(turn, "changed" if had_one else "set")
    done = "changed" if had_one else "set"
    turn.reply(text(f"pin.{done}", minutes=turn.world.policy.step_up.minutes))
    await tell_all(turn, turn.person.id, Say(text(f"pin.{done}.told")), but=turn.person.address)
    go_on(turn, then)


async def tell_all(desk: Desk, person_id: int, say: Say, but: str = "") -> None:
    """Tell a person in every chat of theirs, except the one where they are: whoever has one of them hears of it."""
    row = await people.person(desk.tx, person_id)
    if row is None:
        return
    out = desk.catalogues[row["language"]].out(say)
    for contact in await people.contacts_of(desk.tx, person_id):
        if contact["address"] != but:
            desk.post(person_id, contact["channel"], contact["address"], out, Dispatch(urgent=True))


PIN_CHANGE = Form(CHANGE, (Secret(id="pin"), FreeText(id="then")), submit_change, review=False)
PIN_NEW = Form(NEW, (Secret(id="pin"), FreeText(id="then")), submit_new, review=False)
PIN_AGAIN = Form(AGAIN, (Secret(id="pin"), FreeText(id="then"), FreeText(id="kept")), submit_again, review=False)
