"""The PIN is asked for, and what was to be done goes on by itself once it was right.

A wrong one is written down, so it is answered and is no PersonError, which would undo that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Answer, Form, FreeText, Secret
from bot.talk.messages import Text, text
from bot.talk.spans import MINUTE_MS
from bot.turn import Intent
from handlers.people.rules import may
from handlers.pins import rules
from handlers.world import Turn
from storage.security import pins
from storage.vault.slow import is_hash_of

ASK, NEW = "pin", "pin_new"
SUBMITS = "submit "  # begins a `then` that is no command: the form below, with all its answers


async def asks_first(turn: Turn, right: str, wanted: Intent) -> Intent | None:
    """What is asked before something with a right is done: the PIN, or to set one; None when nothing has to be."""
    policy = turn.world.policy.step_up
    if right not in policy.asks or not may(turn.person.roles, right):
        return None
    then = then_of(wanted)
    if await pins.hash_of(turn.tx, turn.person.id) is None:
        if not rules.must_have(turn.person.roles, policy.required_of):
            return None
        return Intent(form=NEW, answers={"then": then}, note=text("pin.required"))
    if await holds(turn):
        return None
    return Intent(form=ASK, answers={"then": then})


async def holds(turn: Turn) -> bool:
    """Whether the PIN was given in this chat a moment ago."""
    since_ms = turn.now_ms - turn.world.policy.step_up.minutes * MINUTE_MS
    return await pins.given_since(turn.tx, turn.person.id, turn.person.address, since_ms=since_ms)


def then_of(wanted: Intent) -> str:
    """What is to be done afterwards, as an answer keeps it."""
    return f"{SUBMITS}{wanted.form}" if wanted.submits else f"{wanted.command} {wanted.args}".strip()


def go_on(turn: Turn, then: str) -> None:
    """Do what waited for the PIN, if anything did."""
    if then.startswith(SUBMITS):
        turn.opened = Intent(form=then.removeprefix(SUBMITS), submits=True)
    elif then:
        command, _, args = then.partition(" ")
        turn.opened = Intent(command=command, args=args)


async def is_right(turn: Turn, digits: str, again: str, then: str) -> bool:
    """Whether the digits are the person's PIN; if not, that is written down, and the form `again` asks once more."""
    newest = await pins.newest(turn.tx, turn.person.id, limit=rules.LOOKED_AT)
    until_ms = rules.wait_until_ms(newest)
    if turn.now_ms < until_ms:
        ask_again(turn, again, then, text("pin.wait", until_ms=until_ms))
        return False
    kept = await pins.hash_of(turn.tx, turn.person.id)
    right = kept is not None and await is_hash_of(turn.tx, kept, pins.WHAT, digits)
    await note(turn, "right" if right else "wrong")
    if not right:
        newest = await pins.newest(turn.tx, turn.person.id, limit=rules.LOOKED_AT)
        until_ms, left = rules.wait_until_ms(newest), rules.tries_left(newest)
        ask_again(turn, again, then, text("pin.wait", until_ms=until_ms) if until_ms else text("pin.wrong", left=left))
    return right


def ask_again(turn: Turn, form: str, then: str, note: Text) -> None:
    """Open a form of this capability once more, after a note."""
    turn.opened = Intent(form=form, answers={"then": then}, note=note)


async def note(turn: Turn, event: str) -> None:
    """Write down what became of the person's PIN here; where the chat keeps what was typed, say how to take it away."""
    await pins.add_event(
        turn.tx,
        event_id=turn.ids.next(),
        person_id=turn.person.id,
        event=event,
        at_ms=turn.now_ms,
        address=turn.person.address,
    )
    if turn.person.channel == "wechat":
        turn.reply(text("pin.delete_it"))


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The PIN was typed."""
    then = str(answers["then"])
    if await is_right(turn, str(answers["pin"]), ASK, then):
        go_on(turn, then)


async def sent_again(turn: Turn) -> Intent | None:
    """Interpreter: digits like a PIN right after it was given here, when nothing asks for them: sent twice, surely.

    Whether they are the PIN is not looked at, for that would be a way to try.
    """
    if turn.event.kind != "text" or not turn.person.roles or not turn.event.text.strip().isdecimal():
        return None
    if not isinstance(PIN.steps[0].read(turn.event, None), Answer) or not await holds(turn):
        return None
    turn.hidden = True
    turn.reply(text("pin.sent_again"))
    return Intent(command="help")


PIN = Form(ASK, (Secret(id="pin"), FreeText(id="then")), submit, review=False)
