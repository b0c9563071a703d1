"""Who may import whom (design.md, decision 0002)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STDLIB = set(sys.stdlib_module_names)
HANDLERS_MAY = ("bot.talk", "bot.turn", "bot.errors", "storage", "handlers")
COMPOSITION_ROOT = {"bot/app.py", "bot/__main__.py"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PURE = (
    "handlers.duties.words",
    "handlers.film.weighing.words",
    "handlers.numbers",
    "storage.product.accounts",
)  # besides bot.talk and every rules.py


def pure_sources() -> list[Path]:
    named = [ROOT / f"{module.replace('.', '/')}.py" for module in PURE]
    return [*sources("bot/talk"), *sorted((ROOT / "handlers").rglob("rules.py")), *named]


@pytest.mark.parametrize("path", pure_sources(), ids=name)
def test_pure_modules_import_only_the_standard_library_and_each_other(path: Path) -> None:
    for module in imports(path):
        if module.split(".")[0] in STDLIB:
            assert module.split(".")[0] not in ("time", "random", "secrets", "sqlite3", "asyncio", "os"), module
            continue
        pure = module.startswith(("bot.talk", "handlers.policy.film", *PURE)) or (
            module.startswith("handlers.") and ".rules" in module
        )
        assert pure, f"{name(path)} imports {module}"


@pytest.mark.parametrize("path", list(sources("handlers")), ids=name)
def test_handlers_see_talk_turn_errors_and_storage(path: Path) -> None:
    mine = name(path).split("/")[1]
    for module in imports(path):
        if module.startswith(("bot.", "storage.", "handlers.")) or module in ("bot", "storage", "handlers"):
            assert module.startswith(HANDLERS_MAY), f"{name(path)} imports {module}"
        parts = module.split(".")
        if parts[0] == "handlers" and len(parts) > 2 and parts[2] == "forms" and name(path) != "handlers/registry.py":
            assert parts[1] == mine, f"{name(path)} imports another folder's forms: {module}"


@pytest.mark.parametrize("path", list(sources("storage")), ids=name)
def test_storage_knows_neither_machine_nor_product(path: Path) -> None:
    assert not [m for m in imports(path) if m.split(".")[0] in ("bot", "handlers")]


@pytest.mark.parametrize("path", list(sources("bot")), ids=name)
def test_only_the_composition_root_sees_the_product(path: Path) -> None:
    if name(path) not in COMPOSITION_ROOT and not name(path).startswith("bot/console/"):
        assert not [module for module in imports(path) if module.startswith("handlers")]


def test_no_circles_between_capabilities() -> None:
    edges: dict[str, set[str]] = {}
    for path in sources("handlers"):
        parts = name(path).split("/")
        if len(parts) < 3:
            continue
        for module in imports(path):
            other = module.split(".")
            if other[0] == "handlers" and len(other) > 2 and other[1] != parts[1]:
                edges.setdefault(parts[1], set()).add(other[1])

    def reaches(start: str, target: str, seen: set[str]) -> bool:
        for following in edges.get(start, ()):
            if following == target or (
                following not in seen and not seen.add(following) and reaches(following, target, seen)
            ):
                return True
        return False

    assert [one for one in edges if reaches(one, one, set())] == []


@pytest.mark.parametrize("path", list(sources("bot", "handlers", "storage")), ids=name)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 330, f"{name(path)} has two jobs"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 70, f"{name(path)}:{node.name} has {length} lines"


@pytest.mark.parametrize("path", list(sources("bot", "handlers", "storage")), ids=name)
def test_public_things_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) or not tree.body, name(path)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name(path)}: {node.name}"
