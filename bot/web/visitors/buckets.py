"""Leaky buckets: so many at once, and as many again in each period. In memory, on the clock that the caller brings."""

from __future__ import annotations

from collections import OrderedDict

from bot.clock import Steady

MOST_KEYS = 20_000


class Buckets:
    """A bucket for each key, of `count` in `period_ms`. The key that was asked about longest ago is forgotten first.

    Nobody is refused here: what is added above `count` is remembered, up to `most` times it, and takes as long to leak.
    """

    def __init__(self, count: int, period_ms: int, *, most: int = 1) -> None:
        self._gap_ms = period_ms // count
        self._period_ms = period_ms
        self._most_ms = period_ms * most
        self._steady = Steady()
        self._empty_ms: OrderedDict[str, int] = OrderedDict()  # when each is empty again, in steady time

    def wait_ms(self, key: str, now_ms: int) -> int:
        """How long until one more fits; 0: it does."""
        return max(0, self._held_ms(key, now_ms) + self._gap_ms - self._period_ms)

    def fullness(self, key: str, now_ms: int) -> float:
        """How full it would be with one more; above 1 it would be too full."""
        return (self._held_ms(key, now_ms) + self._gap_ms) / self._period_ms

    def add(self, key: str, now_ms: int) -> None:
        """One more came."""
        held_ms = min(self._held_ms(key, now_ms) + self._gap_ms, self._most_ms)
        self._empty_ms[key] = self._steady.ms(now_ms) + held_ms
        if len(self._empty_ms) > MOST_KEYS:
            self._empty_ms.popitem(last=False)

    def _held_ms(self, key: str, now_ms: int) -> int:
        """How long what is in a bucket takes to leak."""
        steady_ms = self._steady.ms(now_ms)
        if key not in self._empty_ms:
            return 0
        self._empty_ms.move_to_end(key)
        return max(0, self._empty_ms[key] - steady_ms)
