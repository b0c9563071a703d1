"""Telling browsers of what waits: what it declares."""

from __future__ import annotations

from handlers.capability import Capability
from handlers.declared import Forget
from handlers.push import planning
from storage.people.push import WANTED

PUSH = Capability(
    name="push",
    timers={WANTED: planning.wanted, planning.SEND: planning.sent},
    forgets=(Forget("browsers that are told", of_age=planning.unused),),
    pages=("villager.md", "staff.md", "operator.md"),
    without={
        "figures": "who is told is not counted",
        "waits": "a push goes by itself",
        "checks": "a browser stands alone; `doctor` looks at the key: bot/console/reach.py",
    },
)
