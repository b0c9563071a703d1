"""A case with who reported it, loaded once at the top of an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import PersonError
from handlers.numbers import CASES
from handlers.world import Desk, Turn
from storage.product import case_vault, cases
from storage.product.case_vault import Reporter
from storage.product.cases import Case


@dataclass(frozen=True, slots=True)
class Known:
    """A case and its reporter; nothing of the reporter may be told but to those with the right (`see_reporter`)."""

    case: Case
    reporter: Reporter | None

    def is_of(self, person_id: int) -> bool:
        """Whether that person reported it."""
        return self.reporter is not None and self.reporter.person_id == person_id


async def known(desk: Desk, case: Case) -> Known:
    """Load who reported a case."""
    return Known(case, await case_vault.reporter(desk.tx, case.id))


async def case_said(turn: Turn, said: str) -> Known:
    """Load the case whose number was said. Raises PersonError."""
    case = await numbered(turn, said)
    if case is None:
        raise PersonError("case_unknown", said=said[:40])
    return await known(turn, case)


async def case_chosen(turn: Turn, answer: Mapping[str, Any]) -> Known:
    """Load the case of a form's answer. Raises PersonError."""
    case = await cases.case(turn.tx, int(answer["id"]))
    if case is None:
        raise PersonError("case_unknown", said=str(answer.get("label", "")))
    return await known(turn, case)


async def numbered(turn: Turn, said: str) -> Case | None:
    """Find the case of a number as people type it; None when there is none."""
    number = CASES.read(said, turn.world.local(turn.now_ms).year)
    return await cases.case_of_number(turn.tx, number) if number else None
