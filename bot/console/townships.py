"""What the command line does besides serving: import, invite, check. Part of the composition root."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from bot.checks import Check, machine_checks
from bot.clock import SystemClock, SystemDice, TimeIds
from bot.console.words import OperatorError, operator_language, say
from bot.i18n import Catalogues
from bot.settings import Settings
from bot.talk.messages import Text, Words, text
from bot.vault import open_with_vault
from handlers.areas.faults import Fault, Faults, text_of
from handlers.areas.importer import ImportRefused, ImportReport, import_folder
from handlers.areas.polygons import AreaEntry, read_areas
from handlers.areas.tables import decode
from handlers.checks import product_faults
from handlers.people.invitations import create_invitation
from handlers.people.rules import COUNTY_ROLES, EVERY_ROLE, ROLES
from handlers.policy.calendar import Calendar
from handlers.world_cache import Worlds
from storage.database import Database, Row, Tx
from storage.machine import inbox, townships
from storage.people import invitations
from storage.product import areas

Progress = Callable[[str, int, int], None]
ROLE_COLUMNS = 28
CALENDAR_MONTH = 11  # the State Council announces next year's holidays about then
CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A join link for a role."""

    role: str
    area: str
    url: str
    hours: int


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Database, TimeIds]]:
    """The database and ids of a process that does one thing beside the bot. Raises Unavailable."""
    database = await open_with_vault(settings)
    try:
        workers = database.workers()
        await workers.start()
        beside = workers if settings.database_path is None else Beside()
        yield database, TimeIds(SystemClock(), after=await database.read(inbox.last_id), worker=beside)
    finally:
        await database.close()


class Beside:
    """The number of whoever writes into a file beside the bot, which has 0."""

    number = 1


async def township_of(database: Database, code: str) -> int:
    """The id of the township of that code; of the only one for "". Raises OperatorError."""
    return int(only(await database.read(townships.every_name), code)["township_id"])


def only(known: Sequence[Row], code: str) -> Row:
    """The township of that code, or the only one for "". Raises OperatorError."""
    if not known:
        raise OperatorError("nothing_imported")
    if not code and len(known) > 1:
        raise OperatorError("which_township", known=named(known))
    found = next((row for row in known if not code or row["code"] == code), None)
    if found is None:
        raise unknown_code(known, code)
    return found


def named(known: Sequence[Row]) -> str:
    """Townships in a row."""
    return ", ".join(f"{row['code']} {row['name']}" for row in known)


def unknown_code(known: Sequence[Row], code: str) -> OperatorError:
    """What to say of a code that is none."""
    if not known:
        return OperatorError("unknown_code_of_none", code=code)
    return OperatorError("unknown_code", code=code, known=named(known))


async def import_township(
    settings: Settings,
    folder: Path,
    *,
    skip_bad: bool,
    progress: Progress | None,
    township: str = "",
    new: bool = False,
) -> tuple[ImportReport | None, list[str]]:
    """Import a folder (or one file); the report, None when it was refused, and a line for each fault.

    Into the township that the folder's boundary names, or that of code `township`, or a `new` one. Raises
    OperatorError.
    """
    faults = Faults()
    town = town_in(folder, faults)
    if town is None and any(not fault.warning for fault in faults.found):
        return None, fault_lines(settings, faults.found)
    async with opened(settings) as (database, ids):
        found = which_township(await database.read(townships.every_name), town, township, new)
        taken = await database.read(townships.every_id)
        township_id = max(taken, default=0) + 1 if found is None else found

        async def work(tx: Tx) -> ImportReport:
            if found is None and township_id in [row["township_id"] for row in await townships.every_name(tx)]:
                raise OperatorError("another_import")
            now_ms = SystemClock().now_ms()
            return await import_folder(tx, folder, now_ms=now_ms, ids=ids, skip_bad=skip_bad, progress=progress)

        try:
            report = await database.transaction(work, township_id=township_id)
        except ImportRefused as refused:
            return None, fault_lines(settings, refused.faults)
        return report, fault_lines(settings, report.faults, skipped=report.skipped)


def town_in(folder: Path, faults: Faults) -> AreaEntry | None:
    """The township whose boundary a folder (or its areas.geojson) brings, if any."""
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    for file in files:
        if file.name.lower() == "areas.geojson" and file.is_file():
            text = decode(file.name, file.read_bytes(), faults)
            entries = read_areas(file.name, text, faults) if text is not None else []
            return next((entry for entry in entries if entry.level == "town"), None)
    return None


def which_township(known: Sequence[Row], town: AreaEntry | None, code: str, new: bool) -> int | None:
    """The id of the township that a folder with the boundary of `town` goes into, None: a new one.

    The folder itself says whose it is; `code` says it for one without a boundary, or which single township gets
    another code. Raises OperatorError.
    """
    by_code = {row["code"]: row for row in known}
    if new and code:
        raise OperatorError("new_and_township")
    if code and code not in by_code:
        raise unknown_code(known, code)
    if new or not known:
        if new and town is None:
            raise OperatorError("new_without_boundary")
        if town is not None and town.code in by_code:
            raise OperatorError("town_is_there", code=town.code, name=by_code[town.code]["name"])
        check_codes([*by_code, *([town.code] if town else [])])
        return None
    if town is None or town.code == code:
        return int(only(known, code)["township_id"])
    own = f"{town.code} {town.name}"
    if town.code in by_code:
        if code:
            raise OperatorError("folder_of_another", own=own, code=code, name=by_code[code]["name"])
        return int(by_code[town.code]["township_id"])
    if code and len(known) == 1:
        return int(known[0]["township_id"])
    there = named(known)
    if len(known) == 1:
        raise OperatorError("another_town_or_code", own=own, there=there, code=known[0]["code"])
    raise OperatorError("another_town", own=own, there=there)


def check_codes(codes: Sequence[str]) -> None:
    """Of several townships each code stands in links and buttons. Raises OperatorError."""
    unfit = [code for code in codes if not CODE.fullmatch(code)]
    if len(codes) > 1 and unfit:
        raise OperatorError("code_in_link", code=unfit[0])


def fault_lines(settings: Settings, faults: Sequence[Fault], *, skipped: int = 0) -> list[str]:
    """File, line, column, what is wrong and what to do, in the operator's language; last, how much was left out."""
    catalogue = Catalogues(settings.zone, settings.language)[operator_language()]
    last = [Text("import.skipped", {"count": skipped})] if skipped else []
    return [catalogue.render(one) for one in (*map(text_of, faults), *last)]


async def has_township(settings: Settings) -> bool:
    """Whether anything was imported yet."""
    async with opened(settings) as (database, _):
        return bool(await database.read(townships.every_name))


async def invite(
    settings: Settings, roles: Sequence[str], area: str, hours: int | None, township: str = ""
) -> list[Invitation]:
    """Make one single-use join link for each role. Raises OperatorError for an unknown role, area or township."""
    known = EVERY_ROLE
    unknown = [role for role in roles if role not in known]
    if unknown:
        raise OperatorError("unknown_role", role=unknown[0], known=", ".join(known))
    async with opened(settings) as (database, ids):
        township_id = await township_of(database, township)
        return await database.transaction(
            lambda tx: _invite(tx, settings, ids, roles, area, hours), township_id=township_id
        )


async def _invite(
    tx: Tx, settings: Settings, ids: TimeIds, roles: Sequence[str], area: str, hours: int | None
) -> list[Invitation]:
    now_ms = SystemClock().now_ms()
    world = await Worlds(settings.zone, settings.address).load(tx, now_ms)
    places = world.places.areas.values()
    found = next((one for one in places if area in (one.name, one.code, *one.aliases)), None)
    if not area:
        found = next(one for one in places if one.level == "town")
    if found is None:
        raise OperatorError("no_such_area", area=area)
    for_county = [role for role in roles if role in COUNTY_ROLES]
    if for_county and area:
        raise OperatorError("for_the_county", role=for_county[0])
    row = await areas.township(tx)
    if for_county and not (row and row["county"]):
        raise OperatorError("no_county", code=world.code, name=world.name)
    valid_hours = hours or world.policy.invitations.valid_hours
    made = []
    for role in roles:
        token = await create_invitation(
            tx, ids=ids, dice=SystemDice(), role=role, area_id=found.area_id, now_ms=now_ms, valid_hours=valid_hours
        )
        made.append(Invitation(role, found.name, f"{settings.address}/?join={token}&t={world.code}", valid_hours))
    return made


async def links(settings: Settings, *, first: bool) -> list[str]:
    """Each township's link, and join links: at the `first` start new ones, else which are still open."""
    async with opened(settings) as (database, _):
        known = await database.read(townships.every_name)
        if not known:
            raise OperatorError("nothing_imported")
        still_open = {
            row["name"]: await database.read(partial(_still_open, settings=settings), township_id=row["township_id"])
            for row in known
        }
    several = len(known) > 1
    lines = [f"  {row['name']:12} {settings.address}/?t={row['code']}" for row in known if several]
    for row in known:
        of = f"{row['name']}: " if several else ""
        if first:
            made = await invite(settings, ROLES, "", None, row["code"])
            lines.append(say("links.first", of=of, hours=made[0].hours))
            lines += [f"  {role_name(one.role)} {one.url}" for one in made]
        elif waiting := still_open[row["name"]]:
            lines.append(say("links.open", of=of, count=len(waiting)))
            lines += [f"  {one}" for one in waiting]
    return lines


def role_name(role: str) -> str:
    """A role as the operator reads it, in a column."""
    said = say(f"role.{role}")
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in said)
    return said.ljust(ROLE_COLUMNS - wide)


async def _still_open(tx: Tx, settings: Settings) -> list[str]:
    """Who may still join by a link that was made: role, area, until when. The link itself is not kept."""
    now_ms = SystemClock().now_ms()
    rows = await invitations.open_for_roles(tx, now_ms=now_ms)
    if not rows:
        return []
    world = await Worlds(settings.zone, settings.address).load(tx, now_ms)
    found = []
    for row in rows:
        area = world.places.areas.get(row["area_id"])
        until = datetime.fromtimestamp(row["expires_ms"] / 1000, settings.zone)
        found.append(
            say("links.one", role=role_name(row["role"]), area=area.name if area else "?", until=f"{until:%m-%d %H:%M}")
        )
    return found


async def bots_check(settings: Settings, database: Database) -> list[Check]:
    """Whether every bot of TELEGRAM_TOKENS is some township's; nothing without that setting."""
    tokens = settings.telegram_tokens
    if not tokens:
        return []
    known = await database.read(townships.every_name)
    codes = [row["code"] for row in known]
    faults: list[Words] = [str(unknown_code(known, code)) for code in tokens if code not in codes]
    if settings.telegram_token and codes[0] in tokens:
        faults.append(text("check.bots.two", code=codes[0]))
    bots = {*tokens, *(codes[:1] if settings.telegram_token else ())}.intersection(codes)
    return [Check("bots", not faults, tuple(faults) or text("check.bots.seen", count=len(bots), total=len(codes)))]


async def check_all(settings: Settings, database: Database) -> list[Check]:
    """Every invariant of the stored data of every township: the machine's and the product's."""
    known = await database.read(townships.every_name)
    if not known:
        raise OperatorError("nothing_imported")
    checks = []
    for row in known:
        found = await database.read(lambda tx: _check_town(tx, settings), township_id=row["township_id"])
        checks += [replace(check, of=row["name"] if len(known) > 1 else "") for check in found]
    return checks


def calendar_check(calendar: Calendar, today: date) -> Check:
    """Whether the public holidays of this year are known, and in the last months those of the next one."""
    year = calendar.missing(today, CALENDAR_MONTH)
    seen = text("check.calendar.known") if year is None else text("check.calendar.missing", year=year)
    return Check("calendar", year is None, seen, warning=True)


async def _check_town(tx: Tx, settings: Settings) -> list[Check]:
    world = await Worlds(settings.zone, settings.address).load(tx, SystemClock().now_ms())
    product = await product_faults(tx, world)
    return [
        *await machine_checks(tx),
        calendar_check(world.calendar, world.day(SystemClock().now_ms())),
        *(Check(name, not faults, tuple(faults) or text("check.whole")) for name, faults in product.items()),
    ]
