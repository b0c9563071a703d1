"""Data classes that nobody changes, at the price of plain ones.

A frozen data class sets each field of a new object through `object.__setattr__`: for what is made by the dozen for
each update (messages, sessions, effects, letters) that was a tenth of the work. Whoever checks types sees a frozen
class, and `mypy --strict` refuses to change one; at run time it is a plain one with the hash of a frozen one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, kw_only: bool = False) -> Callable[[type], type]:
        """`dataclasses.dataclass`, without what `frozen` does at run time."""
        return dataclasses.dataclass(unsafe_hash=frozen, slots=slots, kw_only=kw_only)
