"""Households and who belongs to them: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.households import homes, waits

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
    waits=(waits.CLAIMS,),
    pages=("villager.md", "staff.md"),
    without={
        "figures": "households come from the register, nothing is counted of them",
        "checks": "their versions are looked at with those of places: areas, versions",
        "forgets": "links and claims end with a person's roles: people",
    },
)
