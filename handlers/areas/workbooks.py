"""The rows of a workbook (.xlsx, .xls, .ods) as a table's rows of texts. The reader is loaded when one comes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from handlers.areas.faults import Faults

SUFFIXES = (".xlsx", ".xls", ".ods")
LARGEST_BYTES = 20_000_000
MOST_CELLS = 5_000_000  # a stray mark in the last corner of a sheet makes it a wall of empty cells


def is_workbook(file: str) -> bool:
    """Whether a file is one, by its name."""
    return file.lower().endswith(SUFFIXES)


def workbook_rows(file: str, raw: bytes, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that hold anything, with their numbers (from 1). A file that is none is a fault."""
    if len(raw) > LARGEST_BYTES:
        faults.error(file, 0, 0, "file_too_large", limit=f"{LARGEST_BYTES // 1_000_000} MB")
        return
    import python_calamine as calamine

    try:
        sheet = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
        height, width = (at + 1 for at in sheet.end or (-1, -1))
        if height * width > MOST_CELLS:
            raise ValueError(f"{height} × {width}")
        rows = sheet.to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError, ValueError, IndexError) as problem:
        faults.error(file, 0, 0, "workbook", detail=str(problem)[:80])
        return
    for number, row in enumerate(rows, start=1):
        cells = [_text(cell) for cell in row]
        if any(cell.strip() for cell in cells):
            yield number, cells


def _text(cell: Any) -> str:
    """A cell as it is seen: a whole number has no «.0», a day no midnight."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
