"""What a simulation is about: a product, its people and its own laws. The machine around it is always the same."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

from bot.i18n import Catalogues
from tests.sim.chat.channel import Made, SimChannel, SimDoor, Worker
from tests.sim.chat.platform import Platform
from tests.sim.chat.users import User, Wish
from tests.sim.faults import Chaos
from tests.sim.invariants import Watch

START_MS = 1_795_000_000_000  # 2026-11-18 in Shanghai
SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


@dataclass(frozen=True, slots=True)
class Chat:
    """A kind of platform: itself, the channel of a worker that speaks with it, and what must hold there."""

    platform: type[Platform] = Platform
    channel: Callable[[Any, Worker, Made], SimDoor] = SimChannel
    watch: type[Watch] = Watch
    user: type[User] = User


class Stage(Protocol):
    """What a play needs of the town it is played in."""

    seed: int
    township_id: int
    chaos: Chaos
    platform: Platform
    path: Path
    users: list[User]
    call_later: Callable[..., Any]

    def content(self) -> None:
        """Somebody has everything they wanted."""
        ...


class Play(Protocol):
    """One product with its people, made anew for each seed."""

    product: Any
    catalogues: Catalogues
    errands: Mapping[str, Any]

    def chat(self, township_id: int) -> Chat:
        """The platform on which a township's people write."""
        ...

    def rules(self) -> AbstractContextManager[None]:
        """What is otherwise in the program while this is played."""
        ...

    def database(self) -> bytes:
        """The file it begins with."""
        ...

    def people(self, stage: Stage) -> list[User]:
        """Who lives there and what they want."""
        ...

    def always(self, connection: sqlite3.Connection, township_id: int) -> Sequence[str]:
        """The product's laws that are broken in a township now."""
        ...

    def at_the_end(self, connection: sqlite3.Connection, stage: Stage, now_ms: int) -> Sequence[str]:
        """The product's laws that are broken when everything has drained."""
        ...


def person(
    stage: Stage, address: str, wishes: list[Wish], script: Any, clumsiness: float, kind: type[User] = User
) -> User:
    """Somebody with wishes, known by an address."""
    dice = random.Random(f"{stage.seed}:{stage.township_id}:{address}")
    stage.platform.names[address] = address.replace(":", " ")
    return kind(address, stage.platform, script, dice, wishes, stage.call_later, stage.content, clumsiness)


@lru_cache(maxsize=8)
def in_a_file(make: Callable[[Path, int, int], None], townships: int) -> bytes:
    """What `make` writes into a database file: so many townships, as they are the day before the start."""
    folder = Path(mkdtemp(prefix="sim", dir=SCRATCH))
    try:
        make(folder / "template.db", START_MS - 86_400_000, townships)
        return (folder / "template.db").read_bytes()
    finally:
        shutil.rmtree(folder)
