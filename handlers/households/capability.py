"""Households and who belongs to them: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Saying
from handlers.households import homes, waits
from handlers.said import opens, runs

HOUSEHOLDS = Capability(
    name="households",
    commands={
        "proxy": Command(homes.proxy),
        "unbind": Command(homes.leave),
        "claims": Command(homes.waiting, homes.RIGHT),
        "member": Command(homes.member, homes.RIGHT),
    },
    form_commands={"household": "household"},
    forms=(homes.HOUSEHOLD,),
    sayings=(
        Saying("bind", opens("household")),
        Saying("proxy", runs("proxy")),
        Saying("unbind", runs("unbind")),
        Saying("claims", runs("claims"), homes.RIGHT, anytime=True),
    ),
    waits=(waits.CLAIMS,),
    pages=("villager.md", "staff.md"),
    without={
        "figures": "households come from the register, nothing is counted of them",
        "checks": "their versions are looked at with those of places: areas, versions",
        "forgets": "links and claims end with a person's roles: people",
    },
)
