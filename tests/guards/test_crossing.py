"""One township's transaction reaches another's rows in few places: a county's look, health's counts, the data keys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_CROSS = {"handlers/county/looking.py", "bot/web/status.py", "bot/vault.py"}
# `policies.at(when_ms)` is the policy in force.
NOT_A_TX = ("policies",)
BY_NAME = ("getattr", "attrgetter", "methodcaller", "operator.attrgetter", "operator.methodcaller")


def crossings(source: str) -> Iterator[str]:
    """Each call of `….at(…)`, and each `tx.at` that is only passed on."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "at":
                yield from _of_a_tx(ast.unparse(node.func.value))
            elif ast.unparse(node.func) in BY_NAME:
                yield from (ast.unparse(node) for one in node.args if ast.unparse(one) == "'at'")
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr == "at":
            owner = ast.unparse(node.value.value)
            if owner.endswith("tx"):
                yield f"{owner}.at"


def _of_a_tx(owner: str) -> Iterator[str]:
    if not owner.endswith(NOT_A_TX):
        yield f"{owner}.at"


@pytest.mark.parametrize("folder", ["bot", "handlers", "storage"])
def test_only_the_county_and_the_counts_cross(folder: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(crossings(path.read_text("utf-8")))
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    crossing = {name: calls for name, calls in found.items() if calls}
    assert {name: calls for name, calls in crossing.items() if name not in MAY_CROSS} == {}


@pytest.mark.parametrize("name", sorted(MAY_CROSS))
def test_those_that_may_do(name: str) -> None:
    """A name that no longer crosses leaves the list."""
    assert list(crossings((ROOT / name).read_text("utf-8")))


def test_a_look_at_another_township_can_only_be_read() -> None:
    """In `handlers/county` whatever is another township's comes wrapped in a `Glance`."""
    source = (ROOT / "handlers/county/looking.py").read_text("utf-8")
    wrapped = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Glance"
        and any(isinstance(one, ast.Call) and ast.unparse(one.func).endswith(".at") for one in node.args)
    ]
    assert len(wrapped) == len(list(crossings(source))) == 1


@pytest.mark.parametrize(
    "line", ["x = tx.at(2)", "town = turn.tx.at(two)", "look = tx.at", "getattr(tx, 'at')(2)", "self._tx.at(2)"]
)
def test_it_is_noticed(line: str) -> None:
    assert list(crossings(line))


@pytest.mark.parametrize("line", ["world.policies.at(now_ms)", "policies.at(1)", "at(policies, 1)", "rows[at]"])
def test_and_what_is_no_crossing_is_not(line: str) -> None:
    assert not list(crossings(line))
