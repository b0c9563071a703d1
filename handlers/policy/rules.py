"""Which policy holds at a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Dated(Protocol):
    """Anything with a version number and a moment from which it holds."""

    @property
    def version(self) -> int: ...

    @property
    def effective_from_ms(self) -> int: ...


D = TypeVar("D", bound=Dated)


class NoPolicy(LookupError):
    """No policy holds yet at the moment asked for."""


def at(policies: Iterable[D], when_ms: int) -> D:
    """The policy in force at `when_ms`: the latest start, and of one start the latest version (a correction).

    Raises NoPolicy before the first.
    """
    started = [policy for policy in policies if policy.effective_from_ms <= when_ms]
    if not started:
        raise NoPolicy(f"no policy holds at {when_ms}")
    return max(started, key=lambda policy: (policy.effective_from_ms, policy.version))
