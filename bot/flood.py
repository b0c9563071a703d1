"""Twenty updates a minute from one address are handled at once; what is more is kept and handled at that pace."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

WINDOW_MS = 60_000
MAX_ADDRESSES = 20_000


@dataclass(slots=True)
class _Meter:
    slot_ms: int = 0
    due_ms: int = 0
    told_ms: int = -WINDOW_MS
    notice: bool = False


class FloodGate:
    """Decides when an update is due: a leaky bucket for each address, of `per_minute` updates.

    The bucket's slots are `WINDOW_MS / per_minute` apart; up to `per_minute` may come at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._meters: OrderedDict[str, _Meter] = OrderedDict()
        self.set_rate(per_minute)

    def set_rate(self, per_minute: int) -> None:
        """Use the policy's rate from now on; 0 lets everything through."""
        self._burst = per_minute
        self._gap_ms = WINDOW_MS // per_minute if per_minute else 0

    def due_ms(self, address: str, now_ms: int) -> int:
        """When the update that arrives now is to be handled."""
        meter = self._meters.get(address)
        if not self._burst:
            return max(now_ms, meter.due_ms) if meter else now_ms
        if meter is None:
            meter = self._meters[address] = _Meter()
            if len(self._meters) > MAX_ADDRESSES:
                self._meters.popitem(last=False)
        else:
            self._meters.move_to_end(address)
        ahead_ms = (self._burst - 1) * self._gap_ms
        if meter.due_ms > now_ms:  # what came earlier goes first, also after a restart or under another rate
            meter.slot_ms = max(meter.slot_ms, meter.due_ms + ahead_ms)
        meter.slot_ms = max(meter.slot_ms + self._gap_ms, now_ms)
        due_ms = meter.slot_ms - ahead_ms
        if due_ms <= now_ms:
            return now_ms
        meter.due_ms = due_ms
        if now_ms - meter.told_ms >= WINDOW_MS:
            meter.told_ms = now_ms
            meter.notice = True
        return due_ms

    def notice(self, address: str) -> bool:
        """Whether the person is to be told, once, that the rest will take a while."""
        meter = self._meters.get(address)
        if meter is None or not meter.notice:
            return False
        meter.notice = False
        return True

    def resume(self, address: str, due_ms: int) -> None:
        """After a restart: that address still has updates put off until `due_ms`; later ones come after."""
        self._meters[address] = _Meter(due_ms=due_ms)
