"""PINs: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Forget, Leaver
from handlers.pins import asking, resetting, setting
from handlers.world import Desk
from storage.security import pins


async def _forget(desk: Desk, leaver: Leaver) -> None:
    await pins.forget(desk.tx, leaver.person_id)


PINS = Capability(
    name="pins",
    commands={
        "pin": Command(setting.pin, takes=setting.brings_digits),
        "pins": Command(resetting.events, "see_looks"),
    },
    form_commands={"resetpin": "pin_reset"},
    intents=(asking.sent_again,),
    forms=(asking.PIN, setting.PIN_CHANGE, setting.PIN_NEW, setting.PIN_AGAIN, resetting.PIN_RESET),
    forgets=(Forget("the PIN", of_person=_forget),),
    pages=("staff.md", "operator.md"),
    without={
        "figures": "how often a PIN was typed is for the auditor's list, not for the digest",
        "waits": "who has to set one is asked when they need it",
        "checks": "a hash says nothing that could be looked at",
    },
)
