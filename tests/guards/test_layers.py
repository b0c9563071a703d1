"""Pure modules, forms, sizes and docstrings; who may import whom is in `test_rooms`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STDLIB = set(sys.stdlib_module_names)


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
def test_a_capability_s_forms_are_its_own(path: Path) -> None:
    mine = name(path).split("/")[1]
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "handlers" and len(parts) > 2 and parts[2] == "forms" and name(path) != "handlers/registry.py":
            assert parts[1] == mine, f"{name(path)} imports another folder's forms: {module}"


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
