"""What goes wrong, and when: every decision comes from the seed."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from typing import Literal

from bot.outgoing.shares import GRACE_S

POINTS = (
    "begin",  # before BEGIN
    "statement",  # before a statement
    "commit",  # before COMMIT
    "committed",  # after COMMIT, before the caller hears of it
    "fetched",  # updates in hand, not stored
    "ack",  # stored, not acknowledged
    "acked",  # acknowledged, nothing else done
    "send",  # before a message leaves
    "sent",  # after it arrived, before the program hears of it
    "await",  # anywhere a task waits
)
FIRST_RATE = {"begin": 40, "statement": 250, "commit": 40, "committed": 40, "fetched": 25, "ack": 25, "acked": 25}
Blow = Literal["dies", "cut", "silent", "frozen"]
ALL = frozenset({"receive", "intake", "delivery", "clock"})
WEB = frozenset({"receive"})  # in a worker without intake: it stores what it is brought, others handle it


class Crashed(BaseException):
    """The power went out; nothing may catch this, and nothing written after it counts."""


class DiskTrouble(sqlite3.OperationalError):
    """An injected failure of the disk: the statement did nothing (or the COMMIT did, and nobody knows)."""

    sqlite_errorcode = sqlite3.SQLITE_IOERR


class Conflict(Exception):
    """An injected conflict of two transactions: nothing was written, the work is run again."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How rough one seed is: rates between 0 and 1."""

    crashes: int
    send_retry: float
    send_timeout: float
    send_refused: float
    send_slow: float
    ack_lost: float
    accept_cut: float
    old_duplicate: float
    disk_trouble: float
    slow_disk: float
    connections: int
    shuffled_ids: bool
    pushed: bool  # the platform brings updates to any worker; else one worker fetches them
    townships: int
    workers: tuple[frozenset[str], ...]  # which parts each of them has
    grain_ms: int  # how finely the clocks tell the time
    skew_ms: int  # how far the workers' clocks are apart at most
    conflict: float
    commit_unknown: float
    overlap: float  # how often a transaction that is not alone has others between its reading and its writing
    hint_lost: float
    most_held: int  # how many messages a delivery keeps in memory
    batch_rows: int  # how many updates are handled at once
    grace_s: float  # how long who is new at a township waits before it delivers
    stops: bool  # workers are stopped and started in turn

    @classmethod
    def of(cls, dice: random.Random) -> Weather:
        """Some seeds are calm in one respect and rough in another."""

        def rate(most: float) -> float:
            return dice.choice((0.0, most / 4, most))

        workers = dice.choice(CREWS)
        pushed = WEB in workers or dice.random() < 0.5
        return cls(
            crashes=dice.choice((2, 4, 6, 8)) + len(workers) - 1,
            send_retry=rate(0.2),
            send_timeout=rate(0.15),
            send_refused=rate(0.03),
            send_slow=rate(0.2),
            ack_lost=rate(0.3),
            accept_cut=rate(0.1),
            old_duplicate=rate(0.4),
            disk_trouble=rate(0.01),
            slow_disk=rate(0.1),
            connections=dice.choice((1, 2, 3)) if pushed else 1,
            shuffled_ids=dice.random() < 0.3,
            pushed=pushed,
            townships=dice.choice((1, 1, 2)),
            workers=workers,
            grain_ms=dice.choice((1, 1, 100)),
            skew_ms=dice.choice((0, 20, 3_000)),
            conflict=rate(0.05),
            commit_unknown=rate(0.01),
            overlap=dice.choice((0.0, 0.5)),
            hint_lost=rate(0.5),
            most_held=dice.choice((5_000, 5_000, 3)),
            batch_rows=dice.choice((100, 100, 2)),
            grace_s=dice.choice((0.0, GRACE_S)),
            stops=dice.random() < 0.5,
        )


CREWS: tuple[tuple[frozenset[str], ...], ...] = (
    (ALL,),
    (ALL,),
    (ALL, ALL),
    (ALL, WEB),
    (ALL, ALL, ALL),
    (ALL, ALL, WEB),
    (ALL, ALL, WEB),
    (ALL, ALL - {"delivery"}, frozenset({"delivery", "clock"})),
)


class Chaos:
    """The dice of all faults. `calm` ends them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(f"{seed}:faults")
        self.weather = Weather.of(self.dice)
        self.crashes_left = self.weather.crashes
        self.calm = False

    @property
    def alone(self) -> bool:
        """Whether there is one worker, with the file to itself."""
        return len(self.weather.workers) == 1

    def chance(self, rate: float) -> bool:
        """True at that rate, while faults happen at all."""
        return not self.calm and rate > 0 and self.dice.random() < rate


class Fate:
    """Where something happens to one life, and what."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._point = ""
        self._countdown = 0
        self._blow: Blow = "dies"
        self._arm()

    def _arm(self) -> None:
        self._point = ""
        chaos = self._chaos
        if chaos.crashes_left > 0 and not chaos.calm:
            self._point = chaos.dice.choice(POINTS)
            most = FIRST_RATE.get(self._point, 20 if self._point != "await" else 600)
            self._countdown = int(most ** chaos.dice.random() + 0.5)
            blows: tuple[Blow, ...] = (
                ("dies",) if chaos.alone else ("dies", "dies", "cut", "silent", "silent", "frozen")
            )
            self._blow = chaos.dice.choice(blows)

    def strikes(self, point: str) -> Blow | None:
        """What happens to the program here, if anything."""
        if point != self._point or self._chaos.calm:
            return None
        self._countdown -= 1
        if self._countdown > 0:
            return None
        blow = self._blow
        self._chaos.crashes_left -= 1
        self._arm()
        return blow
