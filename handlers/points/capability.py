"""Points and subsidies: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.points import actions, checks, figures

POINTS = Capability(
    name="points",
    commands={
        "points": Command(actions.points, takes=actions.asks_about_others),
        "subsidy": Command(actions.subsidy, takes=actions.asks_about_others),
        "subsidies": Command(actions.subsidy),
    },
    figures=figures.FIGURES,
    checks={"ledger": checks.ledger_faults},
    pages=("villager.md", "staff.md"),
    without={
        "waits": "what is promised waits in the case or the ticket that promised it",
        "forgets": "transfers are for ever and name accounts, not people",
    },
)
