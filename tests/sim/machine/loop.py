"""An event loop without a clock of its own: when nothing is ready, time jumps to the next thing that is due.

Every task and timer belongs to the life in whose context it was made, so that one worker's can be ended or held up
while the others go on.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol


class Owner(Protocol):
    """Something that tasks belong to."""

    frozen: bool
    held: deque[events.Handle]
    tasks: list[asyncio.Task[Any]]


MOST_TASKS = 500
OWNER: ContextVar[Any] = ContextVar("OWNER", default=None)


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


class _Handle(events.Handle):
    """Runs only while its owner does."""

    __slots__ = ()

    def _run(self) -> None:
        owner = self._context.get(OWNER)  # type: ignore[attr-defined]
        if owner is not None and owner.frozen:
            owner.held.append(self)
        else:
            super()._run()


class _TimerHandle(events.TimerHandle, _Handle):
    __slots__ = ()


class SimLoop(asyncio.BaseEventLoop):
    """Deterministic: ready callbacks run in order, timers by their time. `on_turn` is called once a turn."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoWait(self)
        self.now_s = 0.0
        self.on_turn: Callable[[], None] | None = None
        self.set_task_factory(_owned)

    def time(self) -> float:
        return self.now_s

    def thaw(self, owner: Owner) -> None:
        """Let what was held up run, in its order."""
        owner.frozen = False
        self._ready.extend(handle for handle in owner.held if not handle.cancelled())  # type: ignore[attr-defined]
        owner.held.clear()

    def _call_soon(self, callback: Any, args: Any, context: Any) -> events.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> events.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def _process_events(self, events: Any) -> None:
        """There are no files and sockets here."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if self.on_turn is not None:
            self.on_turn()


def _owned(loop: asyncio.AbstractEventLoop, running: Any, context: Any = None) -> asyncio.Task[Any]:
    task = asyncio.Task(running, loop=loop, context=context)
    owner = context.get(OWNER) if context is not None else OWNER.get()
    if owner is not None:
        if len(owner.tasks) >= MOST_TASKS:
            owner.tasks[:] = [one for one in owner.tasks if not one.done()]
        owner.tasks.append(task)
    return task
