"""What a county's staff see of every township: what it declares."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.county import actions

COUNTY = Capability(
    name="county",
    commands={
        "digest": Command(actions.digest, "ask_digest", takes=takes.days),
        "townships": Command(actions.townships, actions.RIGHT, takes=takes.days),
    },
    pages=("staff.md", "operator.md"),
    without={
        "figures": "it prints each township's own",
        "waits": "a county looks and decides nothing",
        "checks": "it stores nothing",
        "forgets": "it stores nothing",
    },
)
