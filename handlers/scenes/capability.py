"""Printed codes and `/start`: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.scenes import actions

SCENES = Capability(
    name="scenes",
    commands={"start": Command(actions.start)},
    intents=(actions.pasted_code,),
    pages=("villager.md", "cleaner.md", "operator.md", "commands.md"),
    without={
        "figures": "a scanned code opens what other capabilities count",
        "waits": "a scanned code is answered at once",
        "checks": "a code is spelt with the register's names; nothing is stored",
        "forgets": "nothing is stored",
    },
)
