"""Storing and erasing the same photo at once, in every order of their steps that chance finds (decision 0008)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RetryLater
from bot.media.files import erase, keep
from bot.media.shelf import Complete, Shelf, StoredFile, copies, key_of

HOUR_MS = 3_600_000
KEY = key_of("ab" * 32)
NAMES = (*copies(KEY), KEY)
FILES = [Complete(name, Path(name), "image/jpeg") for name in NAMES]


class Step:
    """A point at which the others may go on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Memory(Shelf):
    """A store in memory; each of its operations is one step. An old original with its copies is in it."""

    def __init__(self) -> None:
        super().__init__(Path(), "memory")
        self.now_ms = 100 * HOUR_MS
        self.files = dict.fromkeys(NAMES, 0)
        self.renewed: set[str] = set()  # markers of erasers that have decided and delete now

    async def put(self, files: Sequence[Complete]) -> None:
        for file in files:
            await Step()
            self.files[file.key] = self.now_ms

    async def mark(self, key: str) -> None:
        await Step()
        if key in self.files:
            self.renewed.add(key)
        self.files[key] = self.now_ms

    @property
    def is_deleting(self) -> bool:
        return any(marker in self.files for marker in self.renewed)

    async def find(self, key: str) -> StoredFile | None:
        await Step()
        return StoredFile(1, self.files[key]) if key in self.files else None

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            await Step()
            self.files.pop(key, None)

    async def under(self, prefix: str) -> AsyncIterator[tuple[str, StoredFile]]:
        await Step()
        for key, stored_ms in list(self.files.items()):
            if key.startswith(f"{prefix}/"):
                yield key, StoredFile(1, stored_ms)


class Town:
    """Workers that store and erase the photo, and its rows. The row of the old photo was erased."""

    def __init__(self) -> None:
        self.shelf = Memory()
        self.rows = 0
        self.storing = 0  # between a file and its row, where no hour passes

    async def store(self) -> bool:
        self.storing += 1
        try:
            await keep(self.shelf, FILES)
            await Step()
            self.rows += 1
        except RetryLater:
            return False
        finally:
            self.storing -= 1
        return True

    async def erase(self) -> None:
        with suppress(RetryLater):
            await erase(self.shelf, [KEY], self.needed)

    async def needed(self) -> set[str]:
        await Step()
        return {KEY} if self.rows else set()


def run(work: Coroutine[Any, Any, bool]) -> bool:
    """Run one worker alone to its end."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            return bool(end.value)


# who goes on, for how many steps, and whether hours pass before
TURNS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 25), st.booleans()), max_size=8)


@settings(max_examples=3_000, deadline=None)
@given(st.sampled_from([(1, 1), (1, 2), (2, 1)]), TURNS)
def test_a_photo_that_was_acknowledged_has_its_files(
    workers: tuple[int, int], turns: list[tuple[int, int, bool]]
) -> None:
    town = Town()
    storing, erasing = workers
    left: list[Coroutine[Any, Any, Any]] = [*(town.store() for _ in range(storing))]
    left += [town.erase() for _ in range(erasing)]
    for who, steps, hours_pass in [*turns, *[(0, 1_000, False)] * 3]:
        if hours_pass and not town.storing and not town.shelf.is_deleting:
            town.shelf.now_ms += 2 * HOUR_MS
        if not left:
            break
        worker = left[who % len(left)]
        for _ in range(steps):
            town.shelf.now_ms += 1
            try:
                worker.send(None)
            except StopIteration:
                left.remove(worker)
                break
    assert not left
    if town.rows:
        assert set(NAMES) <= set(town.shelf.files)
    assert not [key for key in town.shelf.files if key.startswith("erasing/")]
    assert run(town.store()) and set(NAMES) <= set(town.shelf.files)
