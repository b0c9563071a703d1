"""The three seams that the simulator replaces: time, ids and chance."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Protocol

EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC: ids count from here, so that they fit 53 bits until 2094
SEQUENCE_BITS = 6
WORKER_BITS = 6


class Clock(Protocol):
    """Milliseconds since 1970 UTC."""

    def now_ms(self) -> int: ...


class Ids(Protocol):
    """Ever-growing integers below 2**53, safe in JavaScript and in every database."""

    def next(self) -> int: ...

    def follow(self, newest: int) -> None:
        """Make only ids greater than that one: another worker's clock may be ahead."""
        ...


class Dice(Protocol):
    """Secrets and chance."""

    def token(self) -> str:
        """43 URL-safe characters that can't be guessed."""
        ...

    def digits(self, count: int) -> str:
        """A code for people to read aloud."""
        ...


@dataclass(frozen=True, slots=True)
class Seams:
    """Where the world comes in: time, new ids, secrets. A test or the simulator puts its own there."""

    clock: Clock
    ids: Ids
    dice: Dice


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Steady:
    """Readings of a clock as a time that never goes back, for limits that count spans.

    A clock that is set back (by hand, or by NTP after it ran ahead) costs the span that it lost, once, and no more:
    what a limit has noted is as far away as before.
    """

    def __init__(self) -> None:
        self._newest_ms = 0
        self.lost_ms = 0

    def ms(self, now_ms: int) -> int:
        """The steady time at a reading."""
        if now_ms < self._newest_ms:
            self.lost_ms += self._newest_ms - now_ms
        self._newest_ms = now_ms
        return now_ms + self.lost_ms


class HasNumber(Protocol):
    """A worker among others; its `number` is below 2**WORKER_BITS and nobody else's now."""

    @property
    def number(self) -> int: ...


class TimeIds:
    """Ids that begin with the time and end with the worker's number: rows made later sort later, and no two workers
    make the same. `after` is the newest id in the database, so that this holds after a restart with the clock set
    back. Several threads may ask."""

    def __init__(self, clock: Clock, after: int = 0, worker: HasNumber | None = None) -> None:
        self._clock = clock
        self._worker = worker
        self._last = after >> WORKER_BITS
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, (self._clock.now_ms() - EPOCH_MS) << SEQUENCE_BITS)
            return self._last << WORKER_BITS | (self._worker.number if self._worker else 0)

    def follow(self, newest: int) -> None:
        with self._lock:
            self._last = max(self._last, newest >> WORKER_BITS)


class SystemDice:
    """The operating system's source of randomness."""

    def token(self) -> str:
        return secrets.token_urlsafe(32)

    def digits(self, count: int) -> str:
        return f"{secrets.randbelow(10**count):0{count}d}"
