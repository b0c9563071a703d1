"""Erasing by what names people are called in WeCom's groups."""

from __future__ import annotations

from handlers.declared import Leaver, Portion
from handlers.world import Desk
from storage.machine import wecom


async def of_person(desk: Desk, leaver: Leaver) -> None:
    """Erase the name of somebody who leaves."""
    await wecom.forget(desk.tx, leaver.person_id)


async def of_age(desk: Desk, portion: Portion) -> bool:
    """Erase, once a night, the names of those whom nothing calls any more: they have no role."""
    if portion.number == 0:
        await wecom.forget_without_role(desk.tx)
    return False
