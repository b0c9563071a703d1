"""Read a CSV as townships have them: from WPS or Excel, UTF-8 or GB18030, comma, tab or semicolon, Chinese heads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers.areas.faults import Faults
from handlers.areas.rules import clean

LARGEST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table: id → the heads it may have; `needed` ones must be there and filled."""

    heads: Mapping[str, tuple[str, ...]]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its first line in the file, and its cells with their column numbers."""

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]

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
    text = decode(file, raw, faults)
    if text is None:
        return []
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    rows = _rows(file, text, delimiter, faults)
    head = next(rows, None)
    places = _head(file, head[1] if head else [], columns, faults)
    if places is None:
        return []
    width = len(head[1]) if head else 0
    return [record for line, row in rows if (record := _record(file, line, row, width, places, columns, faults))]


def _rows(file: str, text: str, delimiter: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as problem:
        faults.error(file, reader.line_num, 0, "csv_syntax", detail=problem)


def _head(file: str, row: list[str], columns: Columns, faults: Faults) -> dict[str, int] | None:
    """Column id → position; None when a needed column is missing."""
    known = {head.lower(): name for name, heads in columns.heads.items() for head in (name, *heads)}
    places: dict[str, int] = {}
    for position, cell in enumerate(row):
        name = known.get(clean(cell).replace(" ", "").lower())
        if name is None or name in places:
            if clean(cell):
                faults.warn(file, 1, position + 1, "unknown_column", value=clean(cell))
        else:
            places[name] = position
    missing = [columns.heads[name][0] for name in columns.heads if name in columns.needed and name not in places]
    for name in missing:
        faults.error(file, 1, 0, "missing_column", name=name)
    return None if missing else places


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
    cells = {name: clean(row[at]) if at < len(row) else "" for name, at in places.items()}
    empty = [name for name in columns.needed if not cells[name]]
    for name in sorted(empty, key=places.__getitem__):
        faults.error(file, line, places[name] + 1, "empty_cell", name=columns.heads[name][0])
    if empty:
        return None
    return Record(line, cells, {name: at + 1 for name, at in places.items()})
