"""What the command line does besides serving: import, invite, check. Part of the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.checks import Check, machine_checks
from bot.clock import SystemClock, SystemDice, TimeIds
from bot.i18n import Catalogues
from bot.settings import Settings
from handlers.areas.faults import Fault, text_of
from handlers.areas.importer import ImportRefused, ImportReport, import_folder
from handlers.checks import product_faults
from handlers.people.invitations import create_invitation
from handlers.people.rules import ROLES
from handlers.worlds import Worlds
from storage import areas, inbox
from storage.database import Database, Tx
from storage.sqlite import SqliteDatabase

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Invitation:
    """A join link for a role."""

    role: str
    area: str
    url: str


class ConsoleError(RuntimeError):
    """Something the operator must mend; the message says what."""


async def import_township(
    settings: Settings, folder: Path, *, skip_bad: bool, progress: Progress | None
) -> tuple[ImportReport | None, list[str]]:
    """Import a folder (or one file); the report, None when it was refused, and a line for each fault."""
    database = await SqliteDatabase.open(settings.database_path)
    clock = SystemClock()
    ids = TimeIds(clock, after=await database.read(inbox.last_id))

    async def work(tx: Tx) -> ImportReport:
        now_ms = clock.now_ms()
        return await import_folder(tx, folder, now_ms=now_ms, ids=ids, skip_bad=skip_bad, progress=progress)

    try:
        report = await database.transaction(work)
        return report, fault_lines(settings, report.faults)
    except ImportRefused as refused:
        return None, fault_lines(settings, refused.faults)
    finally:
        await database.close()


def fault_lines(settings: Settings, faults: Sequence[Fault]) -> list[str]:
    """File, line, column, what is wrong and what to do, in the operator's language."""
    catalogue = Catalogues(settings.zone, settings.language)[settings.language]
    return [catalogue.render(text_of(fault)) for fault in faults]


async def has_township(settings: Settings) -> bool:
    """Whether anything was imported yet."""
    database = await SqliteDatabase.open(settings.database_path)
    try:
        return await database.read(areas.township) is not None
    finally:
        await database.close()


async def invite(settings: Settings, roles: Sequence[str], area: str, hours: int | None) -> list[Invitation]:
    """Make one single-use join link for each role. Raises ConsoleError for an unknown role or area."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise ConsoleError(f"unknown role {unknown[0]}: one of {', '.join(ROLES)}")
    database = await SqliteDatabase.open(settings.database_path)
    clock, dice = SystemClock(), SystemDice()
    ids = TimeIds(clock, after=await database.read(inbox.last_id))

    async def work(tx: Tx) -> list[Invitation]:
        now_ms = clock.now_ms()
        try:
            world = await Worlds(settings.zone, settings.address).load(tx, now_ms)
        except LookupError as error:
            raise ConsoleError(str(error)) from None
        places = world.places.areas.values()
        found = next((one for one in places if area in (one.name, one.code, *one.aliases)), None)
        if not area:
            found = next(one for one in places if one.level == "town")
        if found is None:
            raise ConsoleError(f"no area is called {area}")
        valid_hours = hours or world.policy.invitations.valid_hours
        made = []
        for role in roles:
            token = await create_invitation(
                tx, ids=ids, dice=dice, role=role, area_id=found.area_id, now_ms=now_ms, valid_hours=valid_hours
            )
            made.append(Invitation(role, found.name, f"{settings.address}/?join={token}"))
        return made

    try:
        return await database.transaction(work)
    finally:
        await database.close()


async def check_all(settings: Settings, database: Database) -> list[Check]:
    """Every invariant of the stored data: the machine's and the product's."""
    now_ms = SystemClock().now_ms()

    async def work(tx: Tx) -> list[Check]:
        world = await Worlds(settings.zone, settings.address).load(tx, now_ms)
        product = await product_faults(tx, world)
        return [
            *await machine_checks(tx),
            *(Check(name, not faults, "; ".join(faults) or "whole") for name, faults in product.items()),
        ]

    return await database.read(work)
