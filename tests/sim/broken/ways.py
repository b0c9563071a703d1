"""How a law is broken: a part of the program is built otherwise, or one name in it stands for something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock

from tests.sim.machine.life import Parts

Laws = Mapping[str, Callable[[], AbstractContextManager[Parts]]]


def fits(other: Callable[..., Any], there: Callable[..., Any]) -> bool:
    """Whether something can be called as what it stands for is called: else its call fails, and breaks no law."""
    named = inspect.signature(there).parameters.values()
    by_name = {one.name: None for one in named if one.kind is one.KEYWORD_ONLY}
    by_place = [None for one in named if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    try:
        inspect.signature(other).bind(*by_place, **by_name)
    except TypeError:
        return False
    return True


def built(parts: Parts) -> AbstractContextManager[Parts]:
    """A program that is built of these parts."""
    return nullcontext(parts)


@contextmanager
def patched(where: Any, name: str, other: Any) -> Iterator[Parts]:
    """A program in which `where.name` is something else."""
    there = getattr(where, name)
    assert not inspect.isroutine(there) or fits(other, there), f"{name} takes {inspect.signature(there)} now"
    with mock.patch.object(where, name, other):
        yield Parts()
