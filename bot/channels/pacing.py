"""When a chat may be sent to next, so that a platform's limits are kept. Pure: the caller brings the time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from bot.clock import Steady

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOLDS_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Messages allowed by a platform; None or 0 is no limit.

    `all_per_s` over all chats, in any second. `private_interval_ms` between two messages to one person, once
    `private_burst` were sent at once. `group_per_min` to one group, in any minute.
    """

    all_per_s: int | None = None
    private_interval_ms: int | None = None
    private_burst: int = 1
    group_per_min: int | None = None


# core.telegram.org/bots/faq: 30 a second over all, 1 a second to a chat (short bursts pass), 20 a minute to a group.
TELEGRAM: Final = RateLimits(all_per_s=30, private_interval_ms=SECOND_MS, private_burst=3, group_per_min=20)
UNLIMITED: Final = RateLimits()


def telegram_limits(per_second: int) -> RateLimits:
    """Telegram's limits with another rate over all chats; 0 lifts every limit (for an own Bot API server)."""
    return replace(TELEGRAM, all_per_s=per_second) if per_second else UNLIMITED


class Pace:
    """Remembers what was sent lately, and no more: idle chats are forgotten as others are sent to.

    Chats are Telegram's ids: a group's is negative. Times are milliseconds of the wall's clock, which may be set back;
    what is remembered is in steady time.
    """

    def __init__(self, limits: RateLimits = TELEGRAM) -> None:
        self._steady = Steady()
        self._interval_ms = limits.private_interval_ms or 0
        self._tolerance_ms = self._interval_ms * (max(1, limits.private_burst) - 1)
        self._group_count = limits.group_per_min or 0
        self._all: deque[int] | None = deque(maxlen=limits.all_per_s) if limits.all_per_s else None
        self._private: dict[int, int] = {}  # chat → when its bucket is full again; oldest send first
        self._groups: dict[int, deque[int]] = {}  # chat → its last sends; oldest send first
        self._holds: dict[int, int] = {}
        self._hold_all_ms = 0

    def due_ms(self, chat: int, now_ms: int) -> int:
        """The earliest time, `now_ms` or later, at which one message may go to the chat."""
        due_ms = self._due_ms(chat, self._steady.ms(now_ms))
        return due_ms - self._steady.lost_ms

    def _due_ms(self, chat: int, now_ms: int) -> int:
        due_ms = now_ms
        if self._all:
            due_ms = _window_due_ms(self._all, SECOND_MS, now_ms)
        if chat < 0:
            sends = self._groups.get(chat)
            if sends:
                due_ms = max(due_ms, _window_due_ms(sends, MINUTE_MS, now_ms))
        elif self._private:
            due_ms = max(due_ms, self._private.get(chat, now_ms) - self._tolerance_ms)
        if self._holds:
            due_ms = max(due_ms, self._holds.get(chat, 0))
        return max(due_ms, self._hold_all_ms)

    def sent(self, chat: int, now_ms: int, messages: int = 1) -> None:
        """Count what was sent; an album counts as many messages as it has pictures, the next message waits."""
        assert messages > 0, "nothing was sent"
        now_ms = self._steady.ms(now_ms)
        if self._all is not None:
            self._all.extend([now_ms] * messages)
        if chat < 0:
            if self._group_count:
                sends = self._groups.pop(chat, None) or deque(maxlen=self._group_count)
                sends.extend([now_ms] * messages)
                self._groups[chat] = sends
                self._forget_groups(now_ms)
        elif self._interval_ms:
            full_ms = max(self._private.pop(chat, now_ms), now_ms)
            self._private[chat] = full_ms + self._interval_ms * messages
            self._forget_private(now_ms)

    def hold(self, chat: int | None, until_ms: int) -> None:
        """Send nothing to the chat (None: to anyone) before `until_ms`: the platform said `retry_after`."""
        until_ms += self._steady.lost_ms
        if chat is None:
            self._hold_all_ms = max(self._hold_all_ms, until_ms)
            return
        self._holds[chat] = max(self._holds.get(chat, 0), until_ms)
        if len(self._holds) > HOLDS_MAX:
            # Too many to remember: the one that ends first becomes everybody's, so that none is broken.
            first = min(self._holds, key=self._holds.__getitem__)
            self._hold_all_ms = max(self._hold_all_ms, self._holds.pop(first))

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._private.keys() | self._groups.keys() | self._holds.keys())

    def _forget_private(self, now_ms: int) -> None:
        for _ in range(2):
            chat = next(iter(self._private))
            if self._private[chat] > now_ms:
                return
            del self._private[chat]
            self._forget_hold(chat, now_ms)

    def _forget_groups(self, now_ms: int) -> None:
        for _ in range(2):
            chat = next(iter(self._groups))
            if self._groups[chat][-1] + MINUTE_MS > now_ms:
                return
            del self._groups[chat]
            self._forget_hold(chat, now_ms)

    def _forget_hold(self, chat: int, now_ms: int) -> None:
        if self._holds.get(chat, now_ms + 1) <= now_ms:
            del self._holds[chat]


def _window_due_ms(sends: deque[int], span_ms: int, now_ms: int) -> int:
    """When a span holds fewer sends than the deque can: at once, or a span after the oldest one."""
    if len(sends) < (sends.maxlen or 0):
        return now_ms
    return max(now_ms, sends[0] + span_ms)
