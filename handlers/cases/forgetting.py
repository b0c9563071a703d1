"""Erasing who reported a case, and after a time where exactly it was (PIPL 19, 47). Its history stays."""

from __future__ import annotations

from bot.talk.messages import Text
from bot.talk.spans import DAY_MS
from handlers.cases.claiming import codes_instead_of_name
from handlers.declared import Leaver, Portion
from handlers.world import Desk
from storage.people import retention
from storage.product import case_vault


async def farewell(desk: Desk, leaver: Leaver) -> list[Text]:
    """Tell somebody who leaves the codes of their named reports whose points are still to come."""
    return await codes_instead_of_name(desk, await case_vault.named_reports(desk.tx, person_id=leaver.person_id))


async def reporter(desk: Desk, leaver: Leaver) -> None:
    """Erase somebody who leaves from the vault; points then wait for the code."""
    await case_vault.forget_reporter(desk.tx, leaver.person_id)


async def places(desk: Desk, portion: Portion) -> bool:
    """Erase positions and words of cases that are older than the policy keeps them."""
    before_ms = desk.now_ms - desk.world.policy.retention.position_days * DAY_MS
    return await retention.erase_ranges(desk.tx, retention.PLACES, before_ms=before_ms, limit=portion.rows)
