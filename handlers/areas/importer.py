"""Write an import folder into the database: all of it or nothing, twice the same as once, history kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.talk import letters
from bot.talk.geo import Point
from handlers.areas.bundle import Progress, read_folder
from handlers.areas.entries import Bundle, KnownPlaces, SpotEntry
from handlers.areas.faults import Fault
from handlers.areas.index import split_names
from handlers.areas.polygons import AreaEntry
from handlers.policy.loader import effective_from_ms
from storage.database import Row, Tx
from storage.people.households import add_household_versions
from storage.product.areas import all_areas, mark_changed, set_township
from storage.product.calendars import add_calendar
from storage.product.policies import add_policy
from storage.product.versions import COLUMNS, KEYS, VersionedTable, add_versions, current


class ImportIds(Protocol):
    """Where new ids come from."""

    def next(self) -> int: ...


@dataclass(slots=True)
class Count:
    """What became of the rows of one kind."""

    added: int = 0
    changed: int = 0
    same: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import did: rows by table, the numbers of new policy versions, the years whose
    public holidays are new, warnings and skipped rows."""

    counts: dict[str, Count] = field(default_factory=dict)
    policy_versions: list[int] = field(default_factory=list)
    calendar_years: list[int] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()

    @property
    def skipped(self) -> int:
        """How many rows, boundaries or whole files were left out because something in them is wrong."""
        return len({(fault.file, fault.line) for fault in self.faults if not fault.warning})

    @property
    def changed(self) -> bool:
        """Did anything change?"""
        return bool(self.policy_versions or self.calendar_years) or any(
            count.added or count.changed for count in self.counts.values()
        )


class ImportRefused(Exception):
    """Something in the folder must be mended first; nothing was written. `faults` says what, warnings too."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{sum(not fault.warning for fault in faults)} faults")
        self.faults = faults


async def import_folder(
    tx: Tx,
    folder: Path,
    *,
    now_ms: int,
    ids: ImportIds,
    skip_bad: bool = False,
    imported_by: int | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Read, check and write a folder or one file of it, inside the caller's transaction.

    Raises ImportRefused unless all is good or `skip_bad` leaves the faulty rows out.
    """
    bundle = read_folder(folder, await known_places(tx), progress)
    if bundle.errors and not skip_bad:
        raise ImportRefused(bundle.faults)
    return await write(tx, bundle, now_ms=now_ms, ids=ids, imported_by=imported_by)


async def known_places(tx: Tx) -> KnownPlaces:
    """The villages and hamlets that are stored, for a folder that brings only some of the files."""
    known = KnownPlaces()
    rows = await all_areas(tx)
    codes = {row["area_id"]: row["code"] for row in rows}
    for row in rows:
        if row["level"] == "village":
            known.add_village(row["code"], row["name"], split_names(row["aliases"]), row["boundary"] or "")
    for row in rows:
        if row["level"] == "hamlet":
            known.add_hamlet(codes[row["parent_id"]], row["code"], row["name"], split_names(row["aliases"]))
    return known


async def write(tx: Tx, bundle: Bundle, *, now_ms: int, ids: ImportIds, imported_by: int | None = None) -> ImportReport:
    """Write what was read: new rows, new versions of changed rows; nothing for rows that are the same."""
    report = ImportReport(faults=bundle.faults)
    writer = _Writer(tx, now_ms, ids, report)
    renamed = False
    if town := next((entry for entry in bundle.areas if entry.level == "town"), None):
        renamed = await set_township(
            tx, code=town.code, name=town.name, county=town.county, province=town.province, now_ms=now_ms
        )
    area_ids = await writer.areas(bundle)
    await writer.spots(bundle, area_ids)
    await writer.households(bundle, area_ids)
    for entry in sorted(bundle.policies, key=lambda entry: entry.policy.effective_from):
        start_ms = effective_from_ms(entry.policy)
        version = await add_policy(tx, entry.text, effective_from_ms=start_ms, now_ms=now_ms, imported_by=imported_by)
        report.policy_versions += [] if version is None else [version]
    for one in bundle.calendars:
        year = one.year.year
        added = await add_calendar(tx, one.text, year=year, now_ms=now_ms, imported_by=imported_by)
        report.calendar_years += [] if added is None else [year]
    if renamed or report.changed:
        await mark_changed(tx, now_ms=now_ms)
    return report


Wanted = tuple[Hashable, Mapping[str, Any]]


class _Writer:
    """Compares what is wanted with the current rows and writes the difference."""

    def __init__(self, tx: Tx, now_ms: int, ids: ImportIds, report: ImportReport) -> None:
        self._tx, self._now_ms, self._ids, self._report = tx, now_ms, ids, report

    async def areas(self, bundle: Bundle) -> dict[str, int]:
        """Town, villages, hamlets, each after its parent; every area's id by its code."""
        towns = [entry for entry in bundle.areas if entry.level == "town"]
        villages = [entry for entry in bundle.areas if entry.level == "village"]
        area_ids = await self._areas([(entry.code, _area(entry, None)) for entry in towns])
        parent = area_ids.get(towns[0].code) if towns else None
        area_ids = await self._areas([(entry.code, _area(entry, parent)) for entry in villages])
        return await self._areas([(entry.code, _hamlet(entry, area_ids[entry.village])) for entry in bundle.hamlets])

    async def _areas(self, wanted: Sequence[Wanted]) -> dict[str, int]:
        found = await self._merge("areas", wanted, lambda row: row["code"])
        return {str(code): area_id for code, area_id in found.items()}

    async def spots(self, bundle: Bundle, area_ids: Mapping[str, int]) -> None:
        """Landmarks by village and name, stations by code."""
        landmarks = [(area_ids[entry.village], entry) for entry in bundle.landmarks]
        await self._merge(
            "landmarks",
            [
                (
                    (village, entry.name),
                    {"village_id": village, "name": entry.name, "kind": entry.kind, **_spot(entry)},
                )
                for village, entry in landmarks
            ],
            lambda row: (row["village_id"], row["name"]),
        )
        await self._merge(
            "stations",
            [
                (
                    entry.code,
                    {
                        "village_id": area_ids[entry.village],
                        "code": entry.code,
                        "name": entry.name,
                        "phone": entry.phone,
                        "hours": entry.hours,
                        **_spot(entry),
                    },
                )
                for entry in bundle.stations
            ],
            lambda row: row["code"],
        )

    async def households(self, bundle: Bundle, area_ids: Mapping[str, int]) -> None:
        """Households by card number."""
        wanted: list[Wanted] = [
            (
                entry.card_no,
                {
                    "card_no": entry.card_no,
                    "householder": entry.householder,
                    "village_id": area_ids[entry.village],
                    "area_id": area_ids[entry.hamlet or entry.village],
                    "phone": entry.phone,
                    "members": ";".join(entry.members),
                    "status": entry.status,
                },
            )
            for entry in bundle.households
        ]
        await self._merge("households", wanted, lambda row: row["card_no"])

    async def _merge(
        self, table: VersionedTable, wanted: Sequence[Wanted], key_of: Callable[[Row], Hashable]
    ) -> dict[Hashable, int]:
        """Write new and changed rows; the id of every current row by its key."""
        key, columns = KEYS[table], COLUMNS[table]
        there = {key_of(row): row for row in await current(self._tx, table)}
        ids_by_key = {name: int(row[key]) for name, row in there.items()}
        count = self._report.counts.setdefault(table, Count())
        rows = []
        for name, values in wanted:
            old = there.get(name)
            if old is not None and all(old[column] == values[column] for column in columns):
                count.same += 1
                continue
            if old is None:
                ids_by_key[name] = self._ids.next()
                count.added += 1
            else:
                count.changed += 1
            version = 1 if old is None else int(old["version"]) + 1
            rows.append({**values, key: ids_by_key[name], "version": version})
        if table == "households":
            await add_household_versions(self._tx, rows, key_of=letters.search_key, now_ms=self._now_ms)
        else:
            await add_versions(self._tx, table, rows, now_ms=self._now_ms)
        return ids_by_key


def _area(entry: AreaEntry, parent_id: int | None) -> dict[str, Any]:
    return {
        "parent_id": parent_id,
        "level": entry.level,
        "code": entry.code,
        "name": entry.name,
        "aliases": ";".join(entry.aliases),
        "boundary": entry.boundary,
        "lat": None,
        "lng": None,
        "datum": None,
    }


def _hamlet(entry: SpotEntry, village_id: int) -> dict[str, Any]:
    return {
        "parent_id": village_id,
        "level": "hamlet",
        "code": entry.code,
        "name": entry.name,
        "boundary": None,
        **_spot(entry),
    }


def _spot(entry: SpotEntry) -> dict[str, Any]:
    point: Point | None = entry.point
    return {
        "aliases": ";".join(entry.aliases),
        "lat": point.lat if point else None,
        "lng": point.lng if point else None,
        "datum": point.datum if point else None,
    }
