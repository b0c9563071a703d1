"""Seeing who reported: what it declares."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.declared import Forget, Leaver, Saying
from handlers.disclosure import asking, auditing, checks, confirming, looking
from handlers.said import runs, the_case
from handlers.world import Desk
from storage.product.integrity import Reference
from storage.security import reporter_looks


async def _tries(desk: Desk, leaver: Leaver) -> None:
    await reporter_looks.forget(desk.tx, leaver.person_id)


DISCLOSURE = Capability(
    name="disclosure",
    commands={
        "reporter": Command(asking.reporter, "see_reporter", takes=takes.a_case, refused=asking.without_right),
        "disclosure": Command(confirming.disclosure, asking.CONFIRMS),
        "looks": Command(auditing.looks, "see_looks", takes=takes.a_count),
    },
    forms=(asking.DISCLOSE,),
    sayings=(
        Saying("reporter", runs("reporter", the_case), "see_reporter"),
        Saying("looks", runs("looks"), "see_looks", anytime=True),
    ),
    timers={reporter_looks.TELL: looking.tell},
    checks={"who reported": checks.leads_to_reporters},
    references=(Reference("reporter_looks", "case_id", "cases"),),
    forgets=(Forget("who tried in vain to see who reported", of_person=_tries),),
    pages=("staff.md", "villager.md"),
    without={
        "figures": "how often somebody looked is for the auditor's list, not for the digest",
        "waits": "whoever may confirm is told at once, and what nobody confirms ends by itself",
    },
)
