"""The daily digest: what it declares. `/digest` itself is the county's, who may say a township's name after it."""

from __future__ import annotations

from handlers.capability import Capability
from handlers.declared import Saying
from handlers.digests import actions
from handlers.said import runs, the_day

DIGESTS = Capability(
    name="digests",
    sayings=(Saying("digest", runs("digest", the_day), "ask_digest", anytime=True),),
    timers={"digest.send": actions.digest_due},
    plan=(actions.plan,),
    pages=("staff.md",),
    without={
        "figures": "it prints the figures of others",
        "waits": "it prints what waits for others",
        "checks": "a run keeps only what no event tells again",
        "forgets": "its rows are counts",
    },
)
