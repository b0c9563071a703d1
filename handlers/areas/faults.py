"""What can be wrong in an import: where, which code, what fills the code's text.

The texts are `import.<code>` (what is wrong) and `import.<code>.fix` (what to do) in `locales/*/areas.po`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.talk.messages import Text

CODES = (
    "no_folder",
    "nothing_to_import",
    "unknown_file",
    "file_too_large",
    "encoding",
    "csv_syntax",
    "workbook",
    "several_files",
    "letter_lost",
    "no_member",
    "missing_column",
    "unknown_column",
    "too_many_cells",
    "empty_cell",
    "bad_card",
    "repeated_card",
    "bad_name",
    "bad_phone",
    "bad_status",
    "bad_position",
    "bad_datum",
    "unknown_village",
    "unknown_hamlet",
    "repeated_row",
    "outside_village",
    "json_syntax",
    "not_features",
    "bad_feature",
    "not_text",
    "no_town",
    "several_towns",
    "bad_polygon",
    "self_crossing",
    "overlap",
    "gap",
    "beyond_town",
    "toml_syntax",
    "policy_missing",
    "policy_unknown_key",
    "policy_out_of_range",
    "policy_wrong_type",
    "policy_out_of_order",
    "policy_repeated",
    "policy_empty",
    "policy_rate_kinds",
    "policy_report_kinds",
    "policy_menu_name",
    "policy_menu_does",
    "policy_holiday_days",
    "policy_holiday_work",
    "policy_holiday_year",
    "calendar_lacks",
    "calendar_twice",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Lines and columns count from 1 (0: the whole file); a column of a table is a cell's number.

    A `warning` does not stop the import.
    """

    file: str
    line: int
    column: int
    code: str
    fields: Mapping[str, str] = field(default_factory=dict)
    warning: bool = False

    @property
    def frame(self) -> str:
        """The message id of the whole line: `{file} {line} {column} {what} {fix}`, as far as the place is known."""
        if not self.line:
            return "import.fault.file"
        return "import.fault" if self.column else "import.fault.line"

    @property
    def what(self) -> str:
        """The message id of what is wrong."""
        return f"import.{self.code}"

    @property
    def fix(self) -> str:
        """The message id of what to do."""
        return f"import.{self.code}.fix"


def text_of(fault: Fault) -> Text:
    """One line for a person: file, line, column, what is wrong, what to do."""
    fields = {"file": fault.file, "line": fault.line, "column": fault.column}
    what, fix = Text(fault.what, {**fields, **fault.fields}), Text(fault.fix, {**fields, **fault.fields})
    return Text(fault.frame, {**fields, "what": what, "fix": fix})


class Faults:
    """Collects the faults of one reading."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def error(self, file: str, line: int, column: int, code: str, **fields: object) -> None:
        """Something that must be mended (or its row skipped)."""
        self.found.append(Fault(file, line, column, code, _texts(fields)))

    def warn(self, file: str, line: int, column: int, code: str, **fields: object) -> None:
        """Something odd that does not stop the import."""
        self.found.append(Fault(file, line, column, code, _texts(fields), warning=True))

    def in_order(self) -> tuple[Fault, ...]:
        """The faults file by file as they were read, within a file from its first line to its last."""
        files = {name: at for at, name in enumerate(dict.fromkeys(one.file for one in self.found))}
        return tuple(sorted(self.found, key=lambda one: (files[one.file], one.line, one.column)))


def _texts(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value)[:120] for name, value in fields.items()}
