"""What keeps the program from doing a part of its work now: met in many places, known in one.

Whatever can be away (a platform, the database, the store of photos) is said to have failed or to work where that is
noticed. `/health`, `doctor`, the digest and the log read it from here: one line in the log when a trouble begins, one
when it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot.clock import Clock

MOMENT_MS = 3_000
EVERYWHERE = 0  # the township of a trouble that all of them have
Key = tuple[str, int]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part that does not work: `reason` is a code with a text (`trouble.<reason>`), `said` the far side's own words.

    `until_ms` is 0 while it lasts.
    """

    part: str
    township_id: int
    reason: str
    since_ms: int
    said: str = ""
    until_ms: int = 0


class Troubles:
    """One process's. `changed` is set when there is something new to write down."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing: dict[Key, Trouble] = {}
        self._declared: set[Key] = set()
        self._failed_ms: dict[Key, int] = {}
        self._mended: set[Key] = set()  # declared, and seen to work since
        self._well: set[Key] = set()
        self._over: list[Trouble] = []
        self.changed = asyncio.Event()

    def failed(
        self, part: str, reason: str, *, township_id: int = EVERYWHERE, said: str = "", patience_ms: int = 0
    ) -> None:
        """Something could not be done. It is a trouble once that has lasted `patience_ms`."""
        key, now_ms = (part, township_id), self._clock.now_ms()
        self._well.discard(key)
        self._mended.discard(key)
        self._failed_ms[key] = now_ms
        known = self._failing.get(key) or Trouble(part, township_id, reason, now_ms, said)
        is_new = known.reason != reason
        known = self._failing[key] = replace(known, reason=reason, said=said) if is_new else known
        if key in self._declared and not is_new:
            return
        if key in self._declared or now_ms - known.since_ms >= patience_ms:
            self._declared.add(key)
            log.warning("trouble.began", **_fields(known), said=said)
            self.changed.set()

    def works(self, part: str, township_id: int = EVERYWHERE) -> None:
        """Something was done: what kept it from being done is over."""
        key = part, township_id
        if key in self._well:
            return
        self._well.add(key)
        if key in self._declared:
            self._mended.add(key)
            self._settle()
        else:
            self._failing.pop(key, None)
        self.changed.set()

    def _settle(self) -> None:
        """What has been mended for a moment is over: what comes and goes is one trouble, and not one each time."""
        now_ms = self._clock.now_ms()
        for key in [key for key in self._mended if not 0 <= now_ms - self._failed_ms[key] < MOMENT_MS]:
            self._mended.discard(key)
            self._declared.discard(key)
            known = replace(self._failing.pop(key), until_ms=self._failed_ms[key])
            self._over.append(known)
            log.warning("trouble.over", **_fields(known), lasted_s=max(0, known.until_ms - known.since_ms) // 1000)

    def now(self) -> Sequence[Trouble]:
        """Those there are, oldest first."""
        self._settle()
        return sorted((self._failing[key] for key in self._declared), key=lambda one: (one.since_ms, one.part))

    def is_well(self, part: str, township_id: int) -> bool:
        """Whether a part was seen to work in a township, and has not failed since."""
        return not {(part, township_id), (part, EVERYWHERE)}.isdisjoint(self._well)

    def take_over(self) -> list[Trouble]:
        """Those that are over and were not asked for yet."""
        over, self._over = self._over, []
        return over

    def give_back(self, over: Sequence[Trouble]) -> None:
        """They could not be written down: they are asked for again."""
        self._over = [*over, *self._over]


def _fields(trouble: Trouble) -> dict[str, object]:
    """What the log tells of it."""
    where = {"township_id": trouble.township_id} if trouble.township_id != EVERYWHERE else {}
    return {"part": trouble.part, "reason": trouble.reason, **where}
