"""Read an import folder into memory and check all of it. No database is needed: what it knows comes as `Known`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import shapely

from bot.talk.geo import DATUMS, GeoError, Point, make_point, to_wgs84
from bot.talk.letters import has_letter, lost_letter
from handlers.areas import rules
from handlers.areas.entries import Bundle, CalendarEntry, HouseholdEntry, KnownPlaces, PolicyEntry, SpotEntry
from handlers.areas.faults import Faults
from handlers.areas.polygons import read_areas
from handlers.areas.tables import Columns, Record, decode, letter_lost, read_table
from handlers.areas.workbooks import is_workbook
from handlers.policy.loader import PolicyInvalid, load, load_calendar

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
SEVERAL = ("policy", "calendar")  # `policy*.toml`, `calendar*.toml`: there may be several
_PLACE_HEADS = {"lat": ("纬度", "latitude"), "lng": ("经度", "longitude", "lon"), "datum": ("坐标系",)}
_ALIASES = ("别名", "俗称")
HAMLETS = Columns(
    {"village": ("村",), "name": ("社", "组", "hamlet"), "code": ("编码",), "aliases": _ALIASES, **_PLACE_HEADS},
    frozenset({"village", "name"}),
)
LANDMARKS = Columns(
    {"village": ("村",), "name": ("地标", "landmark"), "kind": ("类别",), "aliases": _ALIASES, **_PLACE_HEADS},
    frozenset({"village", "name", "lat", "lng"}),
)
STATIONS = Columns(
    {
        "code": ("编号", "编码"),
        "name": ("站点", "名称"),
        "village": ("村",),
        "aliases": _ALIASES,
        "phone": ("电话", "联系电话"),
        "hours": ("开放时间",),
        **_PLACE_HEADS,
    },
    frozenset({"code", "name", "village", "lat", "lng"}),
)
HOUSEHOLDS = Columns(
    {
        "card": ("卡号", "家庭卡号", "card_no"),
        "householder": ("户主", "姓名", "户主姓名"),
        "village": ("村", "行政村"),
        "hamlet": ("社", "组"),
        "phone": ("电话", "手机号", "联系电话"),
        "members": ("家庭成员", "成员"),
        "status": ("状态",),
    },
    frozenset({"card", "householder", "village"}),
)


def read_folder(path: Path, known: KnownPlaces | None = None, progress: Progress | None = None) -> Bundle:
    """Read a folder (or one of its files). Never raises for what people wrote: see `Bundle.faults`."""
    reader = _Reader(known or KnownPlaces())
    if not path.exists():
        reader.faults.error(path.name, 0, 0, "no_folder")
        files: list[Path] = []
    else:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
    steps = reader.steps([file for file in files if file.is_file() and not file.name.startswith((".", "~$"))])
    known_files = {file for file in files if any(_is(file, name) for name in reader.kinds)}
    for file in files:
        if file not in known_files and not file.name.startswith((".", "~$")) and file.suffix.lower() != ".md":
            reader.faults.warn(file.name, 0, 0, "unknown_file")
    if path.exists() and not steps:
        reader.faults.error(path.name, 0, 0, "nothing_to_import")
    for number, (file, read) in enumerate(steps):
        if progress:
            progress(file.name, number, len(steps))
        read(file.name, file.read_bytes())
    if progress and steps:
        progress("", len(steps), len(steps))
    reader.bundle.faults = reader.faults.in_order()
    return reader.bundle


def _is(file: Path, name: str) -> bool:
    """`areas.geojson`, `households.csv` or a workbook of that name; see SEVERAL."""
    stem, _, suffix = name.partition(".")
    same = file.stem.lower().startswith(stem) if stem in SEVERAL else file.stem.lower() == stem
    return same and (file.suffix.lower() == f".{suffix}" or (suffix == "csv" and is_workbook(file.name)))


class _Reader:
    """Reads the files in the order in which they need each other."""

    def __init__(self, known: KnownPlaces) -> None:
        self.known = known
        self.faults = Faults()
        self.bundle = Bundle()
        self.kinds: Mapping[str, Callable[[str, bytes], None]] = {
            "areas.geojson": self.areas,
            "hamlets.csv": self.hamlets,
            "landmarks.csv": self.landmarks,
            "stations.csv": self.stations,
            "households.csv": self.households,
            "policy.toml": self.policy,
            "calendar.toml": self.calendar,
        }

    def steps(self, files: Sequence[Path]) -> list[tuple[Path, Callable[[str, bytes], None]]]:
        """Which file is read as what, in order; a table that comes twice («households.csv» and «.xlsx») is a fault."""
        found: list[tuple[Path, Callable[[str, bytes], None]]] = []
        for name, read in self.kinds.items():
            own = [file for file in files if _is(file, name)]
            if len(own) > 1 and name.partition(".")[0] not in SEVERAL:
                self.faults.error(own[1].name, 0, 0, "several_files", first=own[0].name)
                own = own[:1]
            found += [(file, read) for file in own]
        return found

    def areas(self, file: str, raw: bytes) -> None:
        text = decode(file, raw, self.faults)
        self.bundle.areas = read_areas(file, text, self.faults) if text is not None else []
        for entry in self.bundle.areas:
            if entry.level == "village":
                self.known.add_village(entry.code, entry.name, entry.aliases, entry.boundary)

    def hamlets(self, file: str, raw: bytes) -> None:
        self.bundle.hamlets = self._spots(file, raw, HAMLETS)
        for entry in self.bundle.hamlets:
            self.known.add_hamlet(entry.village, entry.code, entry.name, entry.aliases)

    def landmarks(self, file: str, raw: bytes) -> None:
        self.bundle.landmarks = self._spots(file, raw, LANDMARKS)

    def stations(self, file: str, raw: bytes) -> None:
        self.bundle.stations = self._spots(file, raw, STATIONS)

    def households(self, file: str, raw: bytes) -> None:
        records = read_table(file, raw, HOUSEHOLDS, self.faults)
        entries = [entry for record in records if (entry := self._household(file, record))]
        again = {}
        for position, first in rules.repeats(entry.card_no for entry in entries):
            entry = again[position] = entries[position]
            fields = {"value": entry.card_no, "first": entries[first].line}
            self.faults.error(file, entry.line, 1, "repeated_card", **fields)
        self.bundle.households = [entry for at, entry in enumerate(entries) if at not in again]

    def policy(self, file: str, raw: bytes) -> None:
        if found := self._toml(file, raw, load):
            self.bundle.policies.append(PolicyEntry(file, *found))

    def calendar(self, file: str, raw: bytes) -> None:
        found = self._toml(file, raw, load_calendar)
        if found is None:
            return
        entry = CalendarEntry(file, *found)
        if any(one.year.year == entry.year.year for one in self.bundle.calendars):
            self.faults.error(file, 0, 0, "calendar_twice", year=entry.year.year)
            return
        if lacks := entry.year.lacks():
            self.faults.warn(file, 0, 0, "calendar_lacks", days="、".join(day.isoformat() for day in lacks))
        self.bundle.calendars.append(entry)

    def _toml(self, file: str, raw: bytes, read: Callable[[str], T]) -> tuple[str, T] | None:
        """A file's text and what it sets, or None with its faults."""
        text = decode(file, raw, self.faults)
        try:
            return (text, read(text)) if text is not None else None
        except PolicyInvalid as problem:
            for fault in problem.faults:
                self.faults.error(file, fault.line, fault.column, fault.code, **fault.fields)
        return None

    def _household(self, file: str, record: Record) -> HouseholdEntry | None:
        card, name = rules.card_number(record["card"]), rules.person_name(record.written["householder"])
        phone, status = rules.phone_number(record["phone"]), rules.status(record["status"])
        for value, cell, code in (
            (card, "card", "bad_card"),
            (name, "householder", "bad_name"),
            (phone, "phone", "bad_phone"),
            (status, "status", "bad_status"),
        ):
            if value is None:
                self.faults.error(file, record.line, record.column(cell), code, value=record[cell])
        village = self._village(file, record)
        hamlet: str | None = ""
        if village and record["hamlet"]:
            hamlet = self.known.hamlets.get((village, record["hamlet"]))
            if hamlet is None:
                fields = {"value": record["hamlet"], "village": record["village"]}
                self.faults.error(file, record.line, record.column("hamlet"), "unknown_hamlet", **fields)
        members = self._members(file, record)
        if self._lost_letters(file, record, "householder", record.written["householder"]) or members is None:
            return None
        if card is None or name is None or phone is None or status is None or not village or hamlet is None:
            return None
        return HouseholdEntry(record.line, card, name, village, hamlet, phone, members, status)

    def _members(self, file: str, record: Record) -> tuple[str, ...] | None:
        """The members' names; None with a fault when one can't be kept. A number of people is only pointed out."""
        names: list[str] = []
        whole = True
        for said in rules.members(record.written.get("members", "")):
            if self._lost_letters(file, record, "members", said):
                whole = False
            elif (name := rules.person_name(said)) is not None:
                names.append(name)
            elif has_letter(said):
                self.faults.error(file, record.line, record.column("members"), "bad_name", value=said)
                whole = False
            else:
                self.faults.warn(file, record.line, record.column("members"), "no_member", value=said)
        return tuple(names) if whole else None

    def _lost_letters(self, file: str, record: Record, cell: str, name: str) -> bool:
        """Whether a name has a letter that can't be kept; says so."""
        place = lost_letter(name)
        if place is not None:
            letter_lost(self.faults, file, record.line, record.column(cell), name, place)
        return place is not None

    def _village(self, file: str, record: Record) -> str | None:
        village = self.known.villages.get(record["village"])
        if village is None:
            column = record.column("village")
            self.faults.error(file, record.line, column, "unknown_village", value=record["village"])
        return village

    def _spots(self, file: str, raw: bytes, columns: Columns) -> list[SpotEntry]:
        """Hamlets, landmarks or stations; the same name twice in a village (or a code twice) is a fault."""
        found: dict[tuple[str, ...], SpotEntry] = {}
        for record in read_table(file, raw, columns, self.faults):
            entry = self._spot(file, record, columns)
            if entry is None:
                continue
            key = (entry.code,) if columns is STATIONS else (entry.village, entry.name)
            if key in found:
                fields = {"value": entry.name, "first": found[key].line}
                self.faults.error(file, record.line, record.column("name"), "repeated_row", **fields)
            found.setdefault(key, entry)
        return list(found.values())

    def _spot(self, file: str, record: Record, columns: Columns) -> SpotEntry | None:
        village, phone = self._village(file, record), rules.phone_number(record["phone"])
        if phone is None:
            self.faults.error(file, record.line, record.column("phone"), "bad_phone", value=record["phone"])
        point, placed = None, True
        if record["lat"] or record["lng"] or "lat" in columns.needed:
            point = self._point(file, record)
            placed = point is not None
        if village is None or phone is None or not placed:
            return None
        shape = self.known.shapes.get(village)
        if point and shape is not None and not shape.intersects(shapely.Point(point.lng, point.lat)):
            fields = {"name": record["name"], "village": record["village"]}
            self.faults.warn(file, record.line, record.column("lat"), "outside_village", **fields)
        return SpotEntry(
            record.line,
            village,
            record["name"],
            record["code"] or f"{village}-{record['name']}",
            record["kind"] or "other",
            rules.several(record["aliases"]),
            phone,
            record["hours"],
            point,
        )

    def _point(self, file: str, record: Record) -> Point | None:
        datum = record["datum"] or "WGS-84"
        if datum not in DATUMS:
            self.faults.error(file, record.line, record.column("datum"), "bad_datum", value=datum)
            return None
        lat, lng = rules.degrees(record["lat"]), rules.degrees(record["lng"])
        try:
            if lat is not None and lng is not None:
                return to_wgs84(make_point(lat, lng, datum))
        except GeoError:
            lat = None
        cell = "lat" if lat is None else "lng"
        value = f"{record['lat']},{record['lng']}"
        self.faults.error(file, record.line, record.column(cell), "bad_position", value=value)
        return None
