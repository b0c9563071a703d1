"""How many customer messages a person may still be sent, and how many of them ordinary news may use. Pure.

Official (Customer_Service_Messages): a message of theirs opens 5 for 48 hours; a menu click, a subscription and a
scan open 3 for one minute each. Whether WeChat adds these up is not said, so every message is counted in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from bot.channels.wechat.wire import Heard

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
OPENS: Mapping[Heard, tuple[int, int]] = {
    "message": (5, 48 * HOUR_MS),
    "click": (3, MINUTE_MS),
    "subscribe": (3, MINUTE_MS),
    "scan": (3, MINUTE_MS),
}
KEPT_BACK = 2  # of a message's five, for what is urgent
MARGIN_MS = 5_000  # for the way there and clocks that differ


Window = tuple[int, int, int]


class Weighed(Protocol):
    """Something to send: does it matter?"""

    @property
    def urgent(self) -> bool: ...


Item = TypeVar("Item", bound=Weighed)


@dataclass(frozen=True, slots=True)
class Quota:
    """One person's: for each thing they did, (how many are left, until when, when they did it by WeChat's clock)."""

    windows: Mapping[Heard, Window]

    @classmethod
    def none(cls) -> Quota:
        """Of somebody who has not written."""
        return cls({})

    def heard(self, what: Heard, now_ms: int, made_ms: int | None = None) -> Quota:
        """After they did something then (`heard_of`), at `made_ms` by WeChat's clock; "" opens nothing, nor does what
        comes late: what they did since is counted already, whatever our own clock said of it.
        """
        if not what:
            return self
        made_ms = now_ms if made_ms is None else made_ms
        count, span_ms = OPENS[what]
        if what in self.windows and made_ms <= self.windows[what][2]:
            return self
        return Quota({**self._open(now_ms), what: (count, now_ms + span_ms, made_ms)})

    def left(self, now_ms: int, *, urgent: bool) -> int:
        """How many may be sent now: of those that a message opened, ordinary news leaves some."""
        return max(
            (
                count - (0 if urgent or what != "message" else KEPT_BACK)
                for what, (count, until_ms, _) in self.windows.items()
                if now_ms + MARGIN_MS < until_ms
            ),
            default=0,
        )

    def may(self, now_ms: int, *, urgent: bool) -> bool:
        """Whether one may be sent now."""
        return self.left(now_ms, urgent=urgent) > 0

    def sent(self, now_ms: int) -> Quota:
        """After one was sent (also after WeChat has perhaps taken it: an answer that never came)."""
        opened = self._open(now_ms)
        return Quota({what: (max(0, left - 1), until, made) for what, (left, until, made) in opened.items()})

    def used_up(self) -> Quota:
        """After WeChat has said so (45047, 45015)."""
        return replace(self, windows={})

    def take(self, waiting: Sequence[Item], now_ms: int) -> list[Item]:
        """Which of the waiting may go now, what is urgent first, else in their order."""
        quota, chosen = self, []
        for item in sorted(waiting, key=lambda one: not one.urgent):
            if quota.may(now_ms, urgent=item.urgent):
                chosen.append(item)
                quota = quota.sent(now_ms)
        return chosen

    def _open(self, now_ms: int) -> dict[Heard, Window]:
        return {what: window for what, window in self.windows.items() if now_ms < window[1]}

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        return {what: list(window) for what, window in self.windows.items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Quota:
        """Read what `to_json` wrote; what is unknown is left out."""
        windows: dict[Heard, Window] = {}
        for what in OPENS:
            if what in found:
                count, until_ms, *made_ms = map(int, found[what])
                windows[what] = count, until_ms, made_ms[0] if made_ms else until_ms - OPENS[what][1]
        return cls(windows)
