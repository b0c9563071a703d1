"""Read tables as townships have them: workbooks of WPS or Excel, or CSV in UTF-8 or GB18030, with Chinese heads."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.talk.letters import code_point, unknown_letter
from handlers.areas.faults import Faults
from handlers.areas.rules import clean
from handlers.areas.workbooks import is_workbook, workbook_rows

LARGEST_BYTES = 50_000_000
TITLE_ROWS = 4
_SEPARATOR = re.compile(r'"?sep=(?P<separator>[^\r\n"])"?,*\r?\n', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table: id → the heads it may have; `needed` ones must be there and filled."""

    heads: Mapping[str, tuple[str, ...]]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its first line in the file, and its cells with their column numbers; `written` is what they hold."""

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]
    written: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    def column(self, name: str) -> int:
        """The cell's number in the row, 0 if the file has no such column."""
        return self.columns.get(name, 0)


def decode(file: str, raw: bytes, faults: Faults) -> str | None:
    """The text of a file in UTF-8 (with or without BOM) or GB18030; None with a fault otherwise."""
    if len(raw) > LARGEST_BYTES:
        faults.error(file, 0, 0, "file_too_large", limit=f"{LARGEST_BYTES // 1_000_000} MB")
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as problem:
            line = raw[: problem.start].count(b"\n") + 1
            continue
        if "\x00" not in text:
            return text
        line = text[: text.index("\x00")].count("\n") + 1
        break
    faults.error(file, line, 0, "encoding")
    return None


def read_table(file: str, raw: bytes, columns: Columns, faults: Faults) -> list[Record]:
    """The rows that have every needed cell; what is wrong goes to `faults`."""
    rows = workbook_rows(file, raw, faults) if is_workbook(file) else _text_rows(file, raw, faults)
    head, places = _head(file, rows, columns, faults)
    if places is None:
        return []
    return [record for line, row in rows if (record := _record(file, line, row, len(head), places, columns, faults))]


def _text_rows(file: str, raw: bytes, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV that hold anything, with their lines; a first line «sep=;» names what parts the cells."""
    text = decode(file, raw, faults)
    if text is None:
        return
    said = _SEPARATOR.match(text)
    body, before = (text[said.end() :], 1) if said else (text, 0)
    delimiter = said["separator"] if said else max(",\t;", key=body.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    line = before + 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield line, row
            line = before + reader.line_num + 1
    except csv.Error as problem:
        faults.error(file, before + reader.line_num, 0, "csv_syntax", detail=problem)


def _head(
    file: str, rows: Iterator[tuple[int, list[str]]], columns: Columns, faults: Faults
) -> tuple[list[str], dict[str, int] | None]:
    """The row of the heads and column id → position, None when a needed column is missing.

    A title may stand above the heads («青禾塬镇农户花名册»): the first row that has every needed one is theirs.
    """
    first: tuple[int, list[str]] | None = None
    told = len(faults.found)
    for line, row in itertools.islice(rows, TITLE_ROWS + 1):
        first = first or (line, row)
        places = _places(row, columns)
        if columns.needed <= places.keys():
            known = set(places.values())
            for position, cell in enumerate(row):
                if position not in known and clean(cell):
                    faults.warn(file, line, position + 1, "unknown_column", value=clean(cell))
            return row, places
    line, row = first or (1, [])
    if first is None and len(faults.found) > told:
        return row, None  # the file could not be read at all, and that is said
    for name in columns.heads:
        if name in columns.needed and name not in _places(row, columns):
            faults.error(file, line, 0, "missing_column", name=columns.heads[name][0])
    return row, None


def _places(row: list[str], columns: Columns) -> dict[str, int]:
    known = {head.lower(): name for name, heads in columns.heads.items() for head in (name, *heads)}
    places: dict[str, int] = {}
    for position, cell in enumerate(row):
        name = known.get(clean(cell).replace(" ", "").lower())
        if name is not None:
            places.setdefault(name, position)
    return places


def _record(
    file: str,
    line: int,
    row: list[str],
    width: int,
    places: Mapping[str, int],
    columns: Columns,
    faults: Faults,
) -> Record | None:
    if any(cell.strip() for cell in row[width:]):
        faults.error(file, line, width + 1, "too_many_cells", count=len(row), expected=width)
        return None
    written = {name: row[at] if at < len(row) else "" for name, at in places.items()}
    lost = False
    for name, cell in sorted(written.items(), key=lambda one: places[one[0]]):
        place = unknown_letter(cell)
        if place is not None:
            letter_lost(faults, file, line, places[name] + 1, cell, place)
            lost = True
    cells = {name: clean(cell) for name, cell in written.items()}
    empty = [name for name in columns.needed if not cells[name]]
    for name in sorted(empty, key=places.__getitem__):
        faults.error(file, line, places[name] + 1, "empty_cell", name=columns.heads[name][0])
    if empty or lost:
        return None
    return Record(line, cells, {name: at + 1 for name, at in places.items()}, written)


def letter_lost(faults: Faults, file: str, line: int, column: int, text: str, place: int) -> None:
    """Report a letter that nobody can show, at its place (from 0) in a text."""
    fields = {"value": text.strip()[:40], "place": place + 1, "letter": code_point(text[place])}
    faults.error(file, line, column, "letter_lost", **fields)
