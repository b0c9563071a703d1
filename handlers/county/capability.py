"""What a county's staff see of every township: what it declares."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.county import actions
from handlers.declared import Saying
from handlers.said import runs, the_day

COUNTY = Capability(
    name="county",
    commands={
        "digest": Command(actions.digest, "ask_digest", takes=takes.days),
        "townships": Command(actions.townships, actions.RIGHT, takes=takes.days),
    },
    sayings=(Saying("townships", runs("townships", the_day), actions.RIGHT, anytime=True),),
    pages=("staff.md", "operator.md"),
    without={
        "figures": "it prints each township's own",
        "waits": "a county looks and decides nothing",
        "checks": "it stores nothing",
        "forgets": "it stores nothing",
    },
)
