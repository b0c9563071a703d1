"""Twenty updates a minute from one address are handled at once; what is more is kept and handled at that pace."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from bot.clock import Steady

WINDOW_MS = 60_000
MAX_ADDRESSES = 20_000
Who = tuple[int, str]  # township, address


class FloodGate:
    """A leaky bucket for each address, of `per_minute` updates: its slots are `WINDOW_MS / per_minute` apart, and up
    to `per_minute` may come at once. A batch of updates is judged by a `Judge`, which is kept once it is committed.
    """

    def __init__(self) -> None:
        self._steady = Steady()
        self._slots_ms: OrderedDict[Who, int] = OrderedDict()  # both in steady time
        self._told_ms: OrderedDict[Who, int] = OrderedDict()

    def judge(self, township_id: int, now_ms: int, per_minute: int) -> Judge:
        """For one batch of a township; `per_minute` 0 lets everything through."""
        lost_ms = self._steady.ms(now_ms) - now_ms
        return Judge(self, township_id, now_ms, per_minute, lost_ms)

    def keep(self, judge: Judge) -> None:
        """What was judged is committed."""
        _remember(self._slots_ms, judge.slots_ms, judge.lost_ms)
        _remember(self._told_ms, judge.told_ms, judge.lost_ms)

    def slot_ms(self, who: Who) -> int:
        """The slot that was given out last, in steady time."""
        return self._slots_ms.get(who, 0)

    def last_told_ms(self, who: Who) -> int:
        """When the person heard last that it takes a while, in steady time."""
        return self._told_ms.get(who, -WINDOW_MS)


@dataclass(slots=True)
class Judge:
    """Decides for one batch; nothing is remembered until the gate keeps it."""

    gate: FloodGate
    township_id: int
    now_ms: int
    per_minute: int
    lost_ms: int = 0  # how far the clock was set back since the gate opened: steady time is so much ahead of it
    slots_ms: dict[Who, int] = field(default_factory=dict)
    told_ms: dict[Who, int] = field(default_factory=dict)

    def due_ms(self, address: str, after_ms: int = 0) -> int:
        """When a new update is to be handled.

        `after_ms`: when the last of those that were put off before it is due; it never overtakes them, also after a
        restart, with another worker or under another rate.
        """
        if not self.per_minute:
            return max(self.now_ms, after_ms)
        who = self.township_id, address
        gap_ms = WINDOW_MS // self.per_minute
        ahead_ms = (self.per_minute - 1) * gap_ms
        slot_ms = self.slots_ms.get(who) or self.gate.slot_ms(who) - self.lost_ms
        if after_ms > self.now_ms:
            slot_ms = max(slot_ms, after_ms + ahead_ms)
        slot_ms = self.slots_ms[who] = max(slot_ms + gap_ms, self.now_ms)
        return max(self.now_ms, slot_ms - ahead_ms)

    def tells(self, address: str) -> bool:
        """Whether the person is to hear now that the rest will take a while: once in a window."""
        who = self.township_id, address
        last_ms = self.told_ms.get(who, self.gate.last_told_ms(who) - self.lost_ms)
        if self.now_ms - last_ms < WINDOW_MS:
            return False
        self.told_ms[who] = self.now_ms
        return True


def _remember(known: OrderedDict[Who, int], news: dict[Who, int], lost_ms: int) -> None:
    for who, at_ms in news.items():
        known[who] = at_ms + lost_ms
        known.move_to_end(who)
    while len(known) > MAX_ADDRESSES:
        known.popitem(last=False)
