"""How a law is broken: a part of the program is built otherwise, or one name in it stands for something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock

from tests.sim.machine.life import Parts

Laws = Mapping[str, Callable[[], AbstractContextManager[Parts]]]


def built(parts: Parts) -> AbstractContextManager[Parts]:
    """A program that is built of these parts."""
    return nullcontext(parts)


@contextmanager
def patched(where: Any, name: str, other: Any) -> Iterator[Parts]:
    """A program in which `where.name` is something else."""
    with mock.patch.object(where, name, other):
        yield Parts()
