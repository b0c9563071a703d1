"""Points and subsidies: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Saying
from handlers.points import actions, checks, figures
from handlers.said import of_whom, runs

POINTS = Capability(
    name="points",
    commands={
        "points": Command(actions.points, takes=actions.asks_about_others),
        "subsidy": Command(actions.subsidy, takes=actions.asks_about_others),
        "subsidies": Command(actions.subsidy),
    },
    sayings=(
        Saying("points", runs("points", of_whom), anytime=True),
        Saying("subsidy", runs("subsidy", of_whom), anytime=True),
    ),
    figures=figures.FIGURES,
    checks={"ledger": checks.ledger_faults},
    pages=("villager.md", "staff.md"),
    without={
        "waits": "what is promised waits in the case or the ticket that promised it",
        "forgets": "transfers are for ever and name accounts, not people",
    },
)
