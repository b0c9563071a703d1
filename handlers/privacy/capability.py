"""Consent, erasing and how long things are kept: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Forget, Saying
from handlers.privacy import consent, disconnecting, erasing, retention, signing_out
from handlers.said import opens, runs

PRIVACY = Capability(
    name="privacy",
    commands={
        "privacy": Command(erasing.privacy),
        "contacts": Command(disconnecting.contacts),
        "disconnect": Command(disconnecting.disconnect),
        "signout": Command(signing_out.signout),
    },
    form_commands={"erase": "erase"},
    forms=(consent.CONSENT, erasing.ERASE),
    sayings=(
        Saying("erase", opens("erase"), anytime=True),
        Saying("privacy", runs("privacy"), anytime=True),
        Saying("contacts", runs("contacts")),
        Saying("signout", runs("signout")),
    ),
    timers={
        erasing.FORGET: erasing.forget_rest,
        erasing.SWEEP: erasing.sweep,
        retention.RETENTION: retention.erase,
        signing_out.IDLE: signing_out.idle_pages,
    },
    plan=(erasing.plan, retention.plan, signing_out.plan),
    forgets=(
        Forget("conversations", of_age=retention.conversations),
        Forget("words", of_age=retention.words),
        Forget("errors", of_age=retention.errors),
        Forget("contact events and wrong codes", of_age=disconnecting.old_events),
    ),
    pages=("villager.md", "operator.md"),
    without={
        "figures": "who agreed or left is not counted",
        "waits": "erasing is done at once",
        "checks": "what is erased is blank; the stories look at every table",
    },
)
