"""Whoever opens a transaction says of which township; the few works that look at all of them are named here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Works that are of no township, by (file, work), with the reason.
OF_ALL = {
    ("bot/app.py", "inbox.last_id"): "ids are unique over all townships",
    ("bot/console/townships.py", "inbox.last_id"): "ids are unique over all townships",
    ("bot/incoming/intake.py", "inbox.townships_waiting"): "asks which townships have updates to handle",
    (
        "bot/schedule.py",
        "lambda tx: holding.townships_holding(tx, now_ms=now_ms)",
    ): "asks which hold messages",
    ("bot/schedule.py", "lambda tx: timers.townships_due(tx, now_ms=now_ms)"): "asks which townships have timers due",
    ("bot/vault.py", "work"): "a new lock is on all townships' data keys, or on none",
    ("bot/console/doctor.py", "channel_faults.of_all"): "names the troubles of every township",
    ("bot/outgoing/trouble_book.py", "_standing"): "asks what stands in every township, to write what has changed",
    ("bot/web/status.py", "_counts"): "counts every township's queues, each through `Tx.at`",
}
LISTS = "townships."  # every function of storage/machine/townships.py looks at all of them
OPENERS = ("transaction", "read")


def openings(source: str) -> Iterator[ast.Call]:
    """Each call of a database's `transaction` or `read`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OPENERS:
            owner = ast.unparse(node.func.value).lower()
            if node.func.attr == "transaction" or "database" in owner or owner.endswith("db"):
                yield node


def work_of(call: ast.Call) -> str:
    """The work as it is written, "" when it is passed by another name."""
    return ast.unparse(call.args[0]) if call.args else ""


def unsaid(file: str, source: str) -> list[str]:
    """The openings that say no township and are not named above."""
    return [
        f"{file}:{call.lineno} {work_of(call)}"
        for call in openings(source)
        if not any(keyword.arg == "township_id" for keyword in call.keywords)
        and not work_of(call).startswith(LISTS)
        and (file, work_of(call)) not in OF_ALL
    ]


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("bot", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_every_transaction_says_its_township() -> None:
    assert [line for file, source in sources() for line in unsaid(file, source)] == []


def test_every_exception_is_still_needed() -> None:
    found = {(file, work_of(call)) for file, source in sources() for call in openings(source)}
    assert sorted(set(OF_ALL) - found) == []


@pytest.mark.parametrize(
    "line",
    [
        "await self._database.transaction(work)",
        "await parts.database.read(lambda tx: media.owned(tx, a, b))",
        "database.read(inbox.last_id)",
        "app.database.transaction(work, exclusive=False)",
        "db.read(work)",
    ],
)
def test_it_is_noticed(line: str) -> None:
    assert unsaid("bot/new.py", f"async def f():\n    {line}\n")


def test_and_what_says_it_is_not() -> None:
    said = "async def f():\n    await database.read(work, township_id=1)\n    await database.read(townships.every_id)\n"
    assert unsaid("bot/new.py", said) == []
