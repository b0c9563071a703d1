"""Which channels get nothing through just now: a circuit breaker with one lane that tries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

AWAY_AFTER_MS = 10_000  # without anything getting through; a shorter trouble needs no more than a retry
TRY_MS = 15_000  # the longest between two tries of the lane that tries


@dataclass(slots=True)
class _Failing:
    """A channel that has got nothing through `since_ms`; once it is away, one address's lane tries."""

    since_ms: int
    tries: str = ""
    turned: asyncio.Event = field(default_factory=asyncio.Event)  # it is away now, or no more

    @property
    def is_away(self) -> bool:
        return bool(self.tries)


class Breakers:
    """One township's channels."""

    def __init__(self) -> None:
        self._failing: dict[str, _Failing] = {}

    def failed(self, channel: str, address: str, now_ms: int) -> None:
        """A letter to that address did not get through, and none of the channel would have."""
        known = self._failing.setdefault(channel, _Failing(now_ms))
        if not known.is_away and now_ms - known.since_ms >= AWAY_AFTER_MS:
            known.tries = address
            known.turned.set()
            known.turned = asyncio.Event()

    def works(self, channel: str) -> bool:
        """Something got through; whether the channel was away."""
        if channel not in self._failing:
            return False
        known = self._failing.pop(channel)
        known.turned.set()
        return known.is_away

    def channels(self) -> Sequence[str]:
        """Those that are away."""
        return [channel for channel, known in self._failing.items() if known.is_away]

    def is_away(self, channel: str) -> bool:
        """Whether letters of the channel stay in the database."""
        return bool(self._failing) and channel in self._failing and self._failing[channel].is_away

    def tries(self, channel: str) -> str:
        """The address whose lane tries for a channel that is away."""
        return self._failing[channel].tries

    def let_try(self, channel: str, address: str) -> None:
        """That lane tries from now on."""
        self._failing[channel].tries = address

    def keeps_back(self, channel: str, address: str) -> bool:
        """Whether an address's lane has to end, since another tries."""
        return self.is_away(channel) and self._failing[channel].tries != address

    async def rest(self, channel: str, seconds: float) -> None:
        """Wait before a letter's next try, but not beyond the moment at which the channel's state turns."""
        known = self._failing.get(channel)
        if known is None:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(known.turned.wait(), seconds)
