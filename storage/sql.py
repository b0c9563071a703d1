"""Pieces of SQL that several families of tables need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def in_list(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """`:a0, :a1, …` and its parameters, padded to a power of two so that few statements are prepared."""
    size = 1
    while size < len(values):
        size *= 2
    padded = [*values, *[values[-1]] * (size - len(values))]
    return ", ".join(f":{name}{at}" for at in range(size)), {f"{name}{at}": one for at, one in enumerate(padded)}
