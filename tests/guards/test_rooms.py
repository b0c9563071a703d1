"""The rooms of the house: who may import whom, no circles, no room too full, one name for one thing."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from handlers import registry
from tests.pinning import PIN, PINS

ROOT = Path(__file__).parents[2]
HOUSE = ("bot", "handlers", "storage")

# The map, top floor first: a room, and the rooms below that it may see. A module belongs to the first room that names
# it or a folder around it. Every room sees itself, GROUND and, but for `talk` and `media`, what is written beside it.
GROUND = ("bot.clock", "bot.errors", "bot.settings", "bot.logs", "bot.coalescing", "bot.troubles")
MAP: Mapping[str, tuple[str, ...]] = {
    "bot.__main__": ("bot", "handlers", "storage"),
    "bot.console": ("bot", "handlers", "storage"),
    "bot.app": ("bot", "handlers", "storage"),
    "handlers": ("bot.stored", "bot.spoken", "bot.talk", "bot.turn", "storage"),
    "bot.platforms": ("bot.channels", "bot.media", "bot.outgoing", "bot.push", "bot.talk", "bot.i18n", "storage"),
    "bot.schedule": ("bot.outgoing", "bot.turn", "bot.i18n", "storage"),
    "bot.web": (
        "bot.stored",
        "bot.push.browsers",
        "bot.channels",
        "bot.media",
        "bot.turn",
        "bot.talk",
        "bot.i18n",
        "storage",
    ),
    "bot.incoming": ("bot.stored", "bot.outgoing", "bot.channels", "bot.turn", "bot.talk", "bot.i18n", "storage"),
    "bot.push": ("bot.talk.messages", "bot.i18n", "storage"),
    "bot.outgoing": ("bot.stored", "bot.channels", "bot.turn", "bot.talk", "storage"),
    "bot.channels": ("bot.stored", "bot.checks", "bot.turn", "bot.talk", "bot.i18n", "storage"),
    "bot.turn": ("bot.stored", "bot.talk", "bot.i18n", "storage"),
    "bot.stored": ("bot.talk", "storage"),
    "bot.checks": ("bot.talk", "storage"),
    "bot.vault": ("storage",),
    "bot.media": ("bot.talk.messages", "bot.i18n", "storage"),
    "bot.i18n": ("bot.talk",),
    "bot.spoken": ("bot.talk",),
    "bot.settings": ("storage.engine.opening",),
    "bot.talk": (),
    "storage": (),
}
LARGEST_ROOM = 15
# Words of the product, which the machine does not know («ticket» is WeChat's, too).
PRODUCT_WORDS = re.compile(r"(?:^|_)(?:film|cleanup|households?|rollcall|dumping)(?:_|$)", re.IGNORECASE)
# Libraries of which something private is used: the tested minor version is pinned.
OVERRIDDEN = {
    "aiosqlite": "storage/engine/sqlite.py uses Connection._execute",
    "uvicorn": "bot/web/server.py extends its protocol",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def modules() -> dict[str, Path]:
    return {name_of(path): path for folder in HOUSE for path in sorted((ROOT / folder).rglob("*.py"))}


@cache
def imports() -> dict[str, frozenset[str]]:
    """Which modules of the house each imports, also inside functions."""
    found: dict[str, frozenset[str]] = {}
    for name, path in modules().items():
        named: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                named |= {one if one in modules() else node.module for one in whole}
        found[name] = frozenset(one for one in named if one in modules() and one != name)
    return found


def inside(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def room_of(name: str) -> str | None:
    return next((room for room in MAP if inside(name, (room,))), None)


@pytest.mark.parametrize("name", [name for name in modules() if room_of(name)])
def test_a_module_sees_only_the_rooms_below_it(name: str) -> None:
    room = room_of(name)
    assert room is not None
    ground = () if room in ("bot.talk", "storage") else GROUND
    wrong = [one for one in imports()[name] if not inside(one, (room, *MAP[room], *ground))]
    assert wrong == [], f"{name} may not import {wrong}"


def test_every_module_has_a_room() -> None:
    packages = {name for name in modules() if name.endswith("__init__")}
    assert {name for name in modules() if room_of(name) is None} - packages == set(GROUND) - set(MAP)


def test_the_ground_stands_on_nothing() -> None:
    assert [one for one in GROUND if one not in MAP and not imports()[one] <= set(GROUND)] == []


def circle(edges: Mapping[str, frozenset[str]]) -> list[str]:
    """A way round, if there is one."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_anywhere() -> None:
    assert circle(imports()) == []


def test_a_circle_would_be_seen() -> None:
    edges = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}
    assert set(circle(edges)) == set("abc")


def folders() -> list[Path]:
    return sorted({path.parent for path in [*modules().values(), *(ROOT / "benchmarks").rglob("*.py")]})


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_no_room_is_too_full_and_no_three_siblings_share_a_prefix(folder: Path) -> None:
    names = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    if folder.name != "benchmarks":  # one module a benchmark
        assert len(names) <= LARGEST_ROOM, f"{folder} has two jobs"
    prefixes = Counter(name.split("_")[0] for name in names if not name.startswith("__"))
    assert {prefix: count for prefix, count in prefixes.items() if count >= 3} == {}


def test_the_machine_knows_no_word_of_the_product() -> None:
    found = {
        f"{name}: {said}"
        for name, path in modules().items()
        if name.startswith("bot.") and not inside(name, ("bot.console", "bot.app", "bot.__main__"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for said in [
            getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None) or "",
            node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else "",
        ]
        if isinstance(said, str) and PRODUCT_WORDS.search(said)
    }
    assert {one for one in found if one.split(": ")[1] not in ("household_id",)} == set()


def test_a_class_name_stands_for_one_thing() -> None:
    classes = Counter(
        node.name
        for path in modules().values()
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in classes.items() if count > 1} == set()


def test_every_button_s_command_is_there() -> None:
    """A button that runs a command names one that a capability declares."""
    known = set(registry.COMMANDS) | set(registry.FORM_COMMANDS)
    said = re.compile(r"""Button\((?:[^()]|\([^()]*\))*?,\s*f?["']/(\w+)""")
    wrong = {
        (path.relative_to(ROOT).as_posix(), command)
        for path in (ROOT / "handlers").rglob("*.py")
        for command in said.findall(path.read_text("utf-8"))
        if command not in known
    }
    assert wrong == set()


def test_what_we_use_of_a_library_s_own_parts_is_pinned_to_the_tested_version() -> None:
    pinned = {name: version for name, version, _ in PIN.findall(PINS.read_text())}
    wanted = (ROOT / "pyproject.toml").read_text("utf-8")
    for library, why in OVERRIDDEN.items():
        major, minor, *_ = pinned[library].split(".")
        assert f'"{library}>={major}.{minor},<{major}.{int(minor) + 1}"' in wanted, why
