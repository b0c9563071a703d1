"""WeCom's groups and by what names people are called there: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Forget, Saying
from handlers.robots import forgetting, naming, rules
from handlers.said import runs

ROBOTS = Capability(
    name="robots",
    commands={"wecom": Command(naming.command, rules.RIGHT, takes=naming.names_somebody)},
    forms=(naming.WECOM,),
    sayings=(Saying("wecom", runs("wecom"), rules.RIGHT),),
    forgets=(Forget("names in WeCom", of_person=forgetting.of_person, of_age=forgetting.of_age),),
    pages=("staff.md", "cleaner.md", "operator.md"),
    without={
        "figures": "groups are told figures of others",
        "waits": "nobody confirms a name",
        "checks": "a name stands alone; nothing refers to it",
    },
)
