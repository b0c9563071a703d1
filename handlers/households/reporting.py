"""What a report begins with, whoever opens it: for whom it is, and whether it is anonymous as the last one was."""

from __future__ import annotations

from typing import Any

from handlers.households.beneficiary import OWN, acting_for
from handlers.world import Turn
from storage.product import case_vault

REPORT_FORM = "report"


async def begun(turn: Turn, **answers: Any) -> dict[str, Any]:
    """Add to what is known of a new report: whose the points are, when the person acts for others (their own unless
    said), and that it is anonymous, when the person's last one was.
    """
    if "beneficiary" not in answers and await acting_for(turn.tx, turn.person.id):
        answers["beneficiary"] = {"id": OWN, "label": ""}
    if turn.world.policy.report.anonymous and await case_vault.was_anonymous(turn.tx, turn.person.id):
        answers["anonymous"] = True
    return answers
