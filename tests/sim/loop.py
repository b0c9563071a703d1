"""An event loop without a clock of its own: when nothing is ready, time jumps to the next thing that is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class NothingLeft(RuntimeError):
    """Every task waits for something that can never happen."""


class _NoWait:
    """What the loop believes to be its selector."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise NothingLeft
        if timeout > 0:
            self._loop.now_s += timeout
        return []


class SimLoop(asyncio.BaseEventLoop):
    """Deterministic: ready callbacks run in order, timers by their time. `on_turn` is called once a turn."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoWait(self)
        self.now_s = 0.0
        self.on_turn: Callable[[], None] | None = None

    def time(self) -> float:
        return self.now_s

    def _process_events(self, events: Any) -> None:
        """There are no files and sockets here."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if self.on_turn is not None:
            self.on_turn()
