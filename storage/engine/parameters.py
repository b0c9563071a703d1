"""Named parameters for a driver that counts them: `:name` becomes `$1`, the same name the same number."""

from __future__ import annotations

import re
from functools import lru_cache

_NAMED = re.compile(r"'(?:[^']|'')*'|(?<!:):([A-Za-z_][A-Za-z0-9_]*)")
MOST_STATEMENTS = 4_096


@lru_cache(maxsize=MOST_STATEMENTS)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$n`, and the names in the order of their numbers. What stands in quotes is left alone."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return found[0] if name is None else f"${names.setdefault(name, len(names) + 1)}"

    return _NAMED.sub(number, sql), tuple(names)
