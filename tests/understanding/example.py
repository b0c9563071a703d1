"""Understanding in the example township, without a chat: who says what, and what it is taken for."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.turn import Role
from handlers.areas.importer import import_folder
from handlers.understanding import Understood, understand
from handlers.world import World
from handlers.world_cache import Worlds
from storage.engine.migrate import migrate
from storage.engine.sqlite import SqliteDatabase
from tests.example import EXAMPLE
from tests.storage.importing import Counter

HERE = Path(__file__).parent
NOW_MS = 1_795_800_000_000  # 28 November 2026, when the example's policy holds
AREA = 1
_UNITS = ("一", "垃圾", "张三三十一斤半 ", "1一两斤", "20日", "甘J", "a", "0", ".", "张·", "𠀀")
LONG = tuple((unit * 2_000)[:2_000] for unit in _UNITS)  # messages as long as can be, of what is read with most care


@dataclass(frozen=True)
class Line:
    """A test sentence: the role of who says it («villager»: none), its words, and the saying that it is."""

    role: str
    words: str
    saying: str


def lines(path: Path) -> Iterator[Line]:
    """Read `role<TAB>words<TAB>saying [slots]`; «#» begins a remark."""
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            role, words, rest = line.split("\t")
            yield Line(role, words, rest.split(" ")[0])


def sentences() -> list[Line]:
    """All test sentences."""
    return [line for path in sorted((HERE / "sentences").glob("*.tsv")) for line in lines(path)]


@cache
def world() -> World:
    """The example township as the product holds it."""
    return asyncio.run(_world())


async def _world() -> World:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.db"
        migrate(path, now_ms=NOW_MS)
        database = await SqliteDatabase.open(path)
        try:
            ids = Counter()
            await database.transaction(lambda tx: import_folder(tx, EXAMPLE, now_ms=NOW_MS, ids=ids))
            worlds = Worlds(ZoneInfo("Asia/Shanghai"), "https://chat.example")
            return await database.read(lambda tx: worlds.load(tx, NOW_MS))
        finally:
            await database.close()


def hears(role: str, words: str) -> Understood:
    """What words are taken for, said by somebody with a role."""
    roles = () if role == "villager" else (Role(role, AREA),)
    return understand(world(), roles, words)
