"""Time and chance in a story: they go as it says."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 18, 10, 0, tzinfo=ZONE)  # a Wednesday


class StoryClock:
    """A clock that moves when the story says so."""

    def __init__(self, start: datetime = START) -> None:
        self.ms = int(start.timestamp() * 1000)

    def now_ms(self) -> int:
        return self.ms

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.ms += int((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)

    def go_to(self, text: str) -> None:
        """Go forward to a township time such as `2026-11-19 19:00`."""
        wanted = int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)
        assert wanted >= self.ms, f"{text} is in the story's past"
        self.ms = wanted


class StoryDice:
    """Repeatable secrets."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", k=43))

    def digits(self, count: int) -> str:
        return f"{self._random.randrange(10**count):0{count}d}"
