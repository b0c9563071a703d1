"""Tip-offs and their verification: what they declare."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.cases import checks, claiming, figures, forgetting, forms, opening, showing
from handlers.cases.talk import asking
from handlers.cases.verdicts import deciding, revising, settling, waiting
from handlers.declared import Forget, Saying
from handlers.numbers import numbers_in
from handlers.said import answers, runs
from storage.product.integrity import Reference

CASES = Capability(
    name="cases",
    commands={
        "report": Command(opening.report),
        "mycases": Command(showing.my_cases),
        "case": Command(showing.case_command, takes=takes.a_case),
        "cases": Command(showing.waiting_cases, "see_cases"),
        "original": Command(showing.originals, "see_cases", takes=takes.a_case),
        "verify": Command(deciding.verify, "verify_case"),
        "takeback": Command(revising.withdraw, "verify_case", takes=takes.a_case),
        "revise": Command(revising.revise, "verify_case", takes=takes.a_case),
        "held": Command(waiting.held, waiting.RIGHT),
        "release": Command(waiting.release, waiting.RIGHT, takes=takes.a_case),
        "claim": Command(claiming.claim, takes=claiming.brings_a_code),
    },
    forms=(forms.REPORT, forms.REJECT_CASE, forms.DUPLICATE_CASE, forms.REVISE_CASE, forms.REPORTER),
    intents=(opening.interpret,),
    sayings=(
        Saying("report", asking.report, complains=True),
        Saying("resolved", answers("small.resolved", 2)),
        Saying("my_cases", runs("mycases"), anytime=True),
        Saying("urge", asking.urge, complains=True),
        Saying("collection", asking.collection),
        Saying("how_report", asking.how, anytime=True),
        Saying("reward", asking.reward, anytime=True),
        Saying("claim", runs("claim"), anytime=True),
        Saying("anonymous", answers("ask.anonymous"), anytime=True),
        Saying("case_list", runs("cases"), "see_cases", anytime=True),
    ),
    readers=(lambda world: numbers_in,),
    numbers=(opening.numbered,),
    other_matters=(opening.surely,),
    timers={
        claiming.EXPIRE: claiming.expire,
        claiming.FORGET: claiming.forget,
        settling.SETTLE: settling.settle,
        waiting.MONTH: waiting.new_month,
    },
    plan=(claiming.plan, waiting.plan),
    figures=figures.FIGURES,
    waits=(figures.UNDECIDED,),
    checks={"case points": checks.points_still_held, "case events": checks.events_missing},
    references=(
        Reference("case_events", "case_id", "cases"),
        Reference("case_media", "case_id", "cases"),
        Reference("case_reporters", "case_id", "cases"),
        Reference("cases", "duplicate_of", "cases"),
    ),
    forgets=(
        Forget("who reported a case", of_person=forgetting.reporter, farewell=forgetting.farewell),
        Forget("where a case was", of_age=forgetting.places),
    ),
    pages=("villager.md", "staff.md"),
)
