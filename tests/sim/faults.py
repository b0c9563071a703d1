"""What goes wrong, and when: every decision comes from the seed."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass

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


class Crashed(BaseException):
    """The power went out; nothing may catch this, and nothing written after it counts."""


class DiskTrouble(sqlite3.OperationalError):
    """An injected failure of the disk: the statement did nothing."""

    sqlite_errorcode = sqlite3.SQLITE_IOERR


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

    @classmethod
    def of(cls, dice: random.Random) -> Weather:
        """Some seeds are calm in one respect and rough in another."""

        def rate(most: float) -> float:
            return dice.choice((0.0, most / 4, most))

        return cls(
            crashes=dice.choice((2, 4, 6, 8)),
            send_retry=rate(0.2),
            send_timeout=rate(0.15),
            send_refused=rate(0.03),
            send_slow=rate(0.2),
            ack_lost=rate(0.3),
            accept_cut=rate(0.1),
            old_duplicate=rate(0.4),
            disk_trouble=rate(0.01),
            slow_disk=rate(0.1),
            connections=dice.choice((1, 1, 2, 3)),
            shuffled_ids=dice.random() < 0.3,
        )


class Chaos:
    """The dice of all faults. `calm` ends them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(f"{seed}:faults")
        self.weather = Weather.of(self.dice)
        self.crashes_left = self.weather.crashes
        self.calm = False
        self._point = ""
        self._countdown = 0

    def arm(self) -> None:
        """Choose where the life that begins now will end."""
        self._point = ""
        if self.crashes_left > 0 and not self.calm:
            self._point = self.dice.choice(POINTS)
            most = FIRST_RATE.get(self._point, 20 if self._point != "await" else 600)
            self._countdown = int(most ** self.dice.random() + 0.5)

    def hits(self, point: str) -> bool:
        """Whether the program dies here."""
        if point != self._point or self.calm:
            return False
        self._countdown -= 1
        if self._countdown > 0:
            return False
        self._point = ""
        self.crashes_left -= 1
        return True

    def chance(self, rate: float) -> bool:
        """True at that rate, while faults happen at all."""
        return not self.calm and rate > 0 and self.dice.random() < rate
