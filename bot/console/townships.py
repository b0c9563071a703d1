"""What the command line does besides serving: import, invite, check. Part of the composition root."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bot.checks import Check, machine_checks
from bot.clock import SystemClock, SystemDice, TimeIds
from bot.i18n import Catalogues
from bot.settings import Settings
from bot.talk.messages import Text
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
from storage.engine.opening import open_database
from storage.machine import inbox, townships
from storage.product import areas

Progress = Callable[[str, int, int], None]
CALENDAR_MONTH = 11  # the State Council announces next year's holidays about then
CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A join link for a role."""

    role: str
    area: str
    url: str


class ConsoleError(RuntimeError):
    """Something the operator must mend; the message says what."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Database, TimeIds]]:
    """The database and ids of a process that does one thing beside the bot. Raises Unavailable."""
    database = await open_database(settings.database)
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
    """The id of the township of that code; of the only one for "". Raises ConsoleError."""
    return int(only(await database.read(townships.every_name), code)["township_id"])


def only(known: Sequence[Row], code: str) -> Row:
    """The township of that code, or the only one for "". Raises ConsoleError."""
    if not known:
        raise ConsoleError("nothing was imported yet")
    if not code and len(known) > 1:
        raise ConsoleError(f"say which township: --township CODE, one of {named(known)}")
    found = next((row for row in known if not code or row["code"] == code), None)
    if found is None:
        raise ConsoleError(unknown_code(known, code))
    return found


def named(known: Sequence[Row]) -> str:
    """Townships in a row."""
    return ", ".join(f"{row['code']} {row['name']}" for row in known)


def unknown_code(known: Sequence[Row], code: str) -> str:
    """What to say of a code that is none."""
    return f"no township has the code {code}: {named(known) or 'nothing was imported yet'}"


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
    ConsoleError.
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
                raise ConsoleError("another import has just made a township: try again")
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
    another code. Raises ConsoleError.
    """
    by_code = {row["code"]: row for row in known}
    if new and code:
        raise ConsoleError("--new makes another township, --township picks one: say one of them")
    if code and code not in by_code:
        raise ConsoleError(unknown_code(known, code))
    if new or not known:
        if new and town is None:
            raise ConsoleError("--new needs areas.geojson with the boundary of the town: it has the code and the name")
        if town is not None and town.code in by_code:
            raise ConsoleError(f"{town.code} {by_code[town.code]['name']} is there already: import it without --new")
        check_codes([*by_code, *([town.code] if town else [])])
        return None
    if town is None or town.code == code:
        return int(only(known, code)["township_id"])
    own = f"this folder is of {town.code} {town.name}"
    if town.code in by_code:
        if code:
            raise ConsoleError(f"{own}, not of {code} {by_code[code]['name']}: leave --township out")
        return int(by_code[town.code]["township_id"])
    if code and len(known) == 1:
        return int(known[0]["township_id"])
    there = named(known)
    if len(known) == 1:
        raise ConsoleError(
            f"{own}, the database has {there}: add --new for another township beside it, or --township"
            f" {known[0]['code']} to give the one that is there this code and name"
        )
    raise ConsoleError(f"{own}, the database has {there}: add --new if it is another township of yours")


def check_codes(codes: Sequence[str]) -> None:
    """Of several townships each code stands in links and buttons. Raises ConsoleError."""
    unfit = [code for code in codes if not CODE.fullmatch(code)]
    if len(codes) > 1 and unfit:
        raise ConsoleError(
            f"the code {unfit[0]} can't stand in a link: beside others a township needs one of at most 20 letters"
            " (a-z), digits, - and _"
        )


def fault_lines(settings: Settings, faults: Sequence[Fault], *, skipped: int = 0) -> list[str]:
    """File, line, column, what is wrong and what to do, in the operator's language; last, how much was left out."""
    catalogue = Catalogues(settings.zone, settings.language)[settings.language]
    last = [Text("import.skipped", {"count": skipped})] if skipped else []
    return [catalogue.render(one) for one in (*map(text_of, faults), *last)]


async def has_township(settings: Settings) -> bool:
    """Whether anything was imported yet."""
    async with opened(settings) as (database, _):
        return bool(await database.read(townships.every_name))


async def invite(
    settings: Settings, roles: Sequence[str], area: str, hours: int | None, township: str = ""
) -> list[Invitation]:
    """Make one single-use join link for each role. Raises ConsoleError for an unknown role, area or township."""
    known = EVERY_ROLE
    unknown = [role for role in roles if role not in known]
    if unknown:
        raise ConsoleError(f"unknown role {unknown[0]}: one of {', '.join(known)}")
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
        raise ConsoleError(f"no area is called {area}")
    for_county = [role for role in roles if role in COUNTY_ROLES]
    if for_county and area:
        raise ConsoleError(f"{for_county[0]} is for the whole county: leave --area out")
    row = await areas.township(tx)
    if for_county and not (row and row["county"]):
        raise ConsoleError(f"{world.code} {world.name} names no county: put `county` into its areas.geojson")
    valid_hours = hours or world.policy.invitations.valid_hours
    made = []
    for role in roles:
        token = await create_invitation(
            tx, ids=ids, dice=SystemDice(), role=role, area_id=found.area_id, now_ms=now_ms, valid_hours=valid_hours
        )
        made.append(Invitation(role, found.name, f"{settings.address}/?join={token}&t={world.code}"))
    return made


async def links(settings: Settings, *, first: bool) -> list[str]:
    """What `run` prints below the address: each township's link, and at the `first` start the join links."""
    async with opened(settings) as (database, _):
        known = await database.read(townships.every_name)
    several = len(known) > 1
    lines = [f"  {row['name']:12} {settings.address}/?t={row['code']}" for row in known if several]
    for row in known if first else ():
        lines.append(f"One join link for each role (each works once){': ' + row['name'] if several else ':'}")
        made = await invite(settings, ROLES, "", None, row["code"])
        lines += [f"  {one.role:16} {one.url}" for one in made]
    return lines


async def bots_check(settings: Settings, database: Database) -> list[Check]:
    """Whether every bot of TELEGRAM_TOKENS is some township's; nothing without that setting."""
    tokens = settings.telegram_tokens
    if not tokens:
        return []
    known = await database.read(townships.every_name)
    codes = [row["code"] for row in known]
    faults = [unknown_code(known, code) for code in tokens if code not in codes]
    if settings.telegram_token and codes[0] in tokens:
        faults.append(f"TELEGRAM_TOKEN and TELEGRAM_TOKENS name two bots for {codes[0]}: leave TELEGRAM_TOKEN empty")
    bots = {*tokens, *(codes[:1] if settings.telegram_token else ())}.intersection(codes)
    return [Check("bots", not faults, "; ".join(faults) or f"{len(bots)} of {len(codes)} townships have one")]


async def check_all(settings: Settings, database: Database) -> list[Check]:
    """Every invariant of the stored data of every township: the machine's and the product's."""
    known = await database.read(townships.every_name)
    if not known:
        raise LookupError("no township has been imported: run `python -m bot import FOLDER`")
    checks = []
    for row in known:
        found = await database.read(lambda tx: _check_town(tx, settings), township_id=row["township_id"])
        name = f"{row['name']}: " if len(known) > 1 else ""
        checks += [replace(check, name=f"{name}{check.name}") for check in found]
    return checks


def calendar_check(calendar: Calendar, today: date) -> Check:
    """Whether the public holidays of this year are known, and in the last months those of the next one."""
    year = calendar.missing(today, CALENDAR_MONTH)
    missing = f"the public holidays of {year} are missing: import the announcement as calendar.toml"
    return Check("calendar", year is None, "known" if year is None else missing, warning=True)


async def _check_town(tx: Tx, settings: Settings) -> list[Check]:
    world = await Worlds(settings.zone, settings.address).load(tx, SystemClock().now_ms())
    product = await product_faults(tx, world)
    return [
        *await machine_checks(tx),
        calendar_check(world.calendar, world.day(SystemClock().now_ms())),
        *(Check(name, not faults, "; ".join(faults) or "whole") for name, faults in product.items()),
    ]
