"""Each capability says everything about itself on its page, or why not; nothing is declared twice or leads nowhere."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.i18n import LOCALES, read_texts
from handlers import registry
from handlers.capability import Capability, Command, joined
from handlers.declared import Selection, read_figures
from handlers.digests import rules as digest
from handlers.people.rules import roles_with
from storage.engine.migrate import migrate
from storage.engine.sqlite import SqliteDatabase

ROOT = Path(__file__).parents[2]
CAPABILITIES = {one.name: one for one in registry.CAPABILITIES}
EXPECTED = ("figures", "waits", "checks", "forgets", "story")
STORIES = {
    "answers": ("test_understood.py",),
    "cases": ("test_report.py", "test_verify.py"),
    "county": ("test_townships.py",),
    "digests": ("test_digest.py",),
    "disclosure": ("test_disclosure.py",),
    "duties": ("test_friday.py",),
    "film": ("test_film.py",),
    "households": ("test_households_of_people.py",),
    "people": ("test_people.py",),
    "privacy": ("test_leaving.py", "test_retention.py"),
    "photos": ("test_report.py", "test_retention.py"),
    "pins": ("test_pins.py",),
    "points": ("test_points.py",),
    "push": ("test_push.py",),
    "rewards": ("test_rewards.py",),
    "robots": ("test_robots.py",),
    "scenes": ("test_scenes.py",),
    "todo": ("test_todo.py",),
}
LANGUAGES = {"zh": "zh_CN", "en": "en"}


def test_every_folder_is_a_capability_of_the_list() -> None:
    folders = {path.parent.name for path in (ROOT / "handlers").glob("*/__init__.py")}
    assert set(CAPABILITIES) == folders
    assert len(CAPABILITIES) == len(registry.CAPABILITIES)
    assert set(STORIES) <= folders


@pytest.mark.parametrize("what", EXPECTED)
@pytest.mark.parametrize("name", CAPABILITIES)
def test_it_has_what_is_expected_or_says_why_not(name: str, what: str) -> None:
    capability = CAPABILITIES[name]
    has = STORIES.get(name) if what == "story" else getattr(capability, what)
    assert bool(has) != (what in capability.without), f"{name}: {what}"
    assert set(capability.without) <= set(EXPECTED)


@pytest.mark.parametrize("name", STORIES)
def test_its_stories_are_there(name: str) -> None:
    assert all((ROOT / "tests" / "stories" / story).exists() for story in STORIES[name])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CAPABILITIES)
def test_its_pages_speak_of_it(name: str, language: str) -> None:
    """A page of each capability exists; where it has commands, one of its pages names one, or words that mean one."""
    capability = CAPABILITIES[name]
    pages = [(ROOT / "docs" / language / page).read_text("utf-8") for page in capability.pages]
    assert pages
    texts = read_texts(LOCALES / LANGUAGES[language])
    words = [word for one in capability.commands for word in str(texts.get(f"phrase.{one}", "")).split("|") if word]
    named = [*words, *(f"/{one}" for one in capability.commands)]
    assert not capability.commands or any(word in page for page in pages for word in named)


def test_what_is_declared_twice_is_an_error_that_names_both() -> None:
    async def nothing(turn: object, args: str) -> None: ...

    twice = [Capability(name=name, commands={"say": Command(nothing)}) for name in ("one", "other")]
    with pytest.raises(ValueError, match="command 'say' is declared by one and by other"):
        joined(twice, "command", lambda one: one.commands.items())


# ── figures and waits


def test_the_digest_prints_what_is_declared() -> None:
    assert set(digest.FIGURES) <= set(registry.DECLARED.figures)
    assert set(digest.WAITS) <= set(registry.DECLARED.waits)


def test_figures_and_waits_are_named_after_whose_they_are() -> None:
    for capability in registry.CAPABILITIES:
        assert all(figure.id.startswith(f"{capability.name}.") for figure in capability.figures)


@pytest.mark.parametrize("language", LANGUAGES.values())
@pytest.mark.parametrize("name", registry.DECLARED.waits)
def test_what_waits_can_be_told_and_opened(name: str, language: str) -> None:
    wait, texts = registry.DECLARED.waits[name], read_texts(LOCALES / language)
    assert {f"todo.{name}", f"todo.{name}.late", f"todo.{name}.all"} <= set(texts)
    for command in (wait.command, wait.opens):
        assert not command or command.split()[0].removeprefix("/") in registry.COMMANDS
    assert not wait.kinds or any(key.startswith(wait.kinds) for key in texts)
    action = registry.COMMANDS[wait.command.split()[0].removeprefix("/")]
    assert roles_with(wait.right) <= roles_with(action.right)


def test_whoever_decides_about_something_that_waits_sees_the_list_of_it() -> None:
    waits = registry.DECLARED.waits.values()
    assert frozenset().union(*(roles_with(wait.right) for wait in waits)) == roles_with("see_todo")
    assert roles_with("approve_weight") == roles_with("correct_film"), "the wait `film` counts for both"


async def test_in_an_empty_township_every_figure_is_read_and_nothing_waits(tmp_path: Path) -> None:
    migrate(tmp_path / "a.db", now_ms=0)
    database = await SqliteDatabase.open(tmp_path / "a.db")
    declared = registry.DECLARED
    figures = await database.read(lambda tx: read_figures(declared.figures.values(), tx, 1, 2))
    assert figures == {name: {} for name in declared.figures}
    for wait in declared.waits.values():
        assert await database.read(lambda tx, wait=wait: wait.by_area(tx, 1, 2)) == {}
        assert not await database.read(lambda tx, wait=wait: wait.rows(tx, Selection(1, 2, limit=5)))
    await database.close()


# ── references


def test_references_name_columns_of_the_schema(tmp_path: Path) -> None:
    migrate(tmp_path / "a.db", now_ms=0)
    connection = sqlite3.connect(tmp_path / "a.db")
    assert registry.REFERENCES
    for table, column, other in registry.REFERENCES:
        assert column in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}, (table, column)
        assert "id" in {row[1] for row in connection.execute(f"PRAGMA table_info({other})")}, other
    connection.close()


# ── forms are opened with what they know


def opened() -> Iterator[tuple[str, str, list[str]]]:
    """Where a form is opened: the place, the form's name or its constant, the keys that are said there."""
    for path in sorted((ROOT / "handlers").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            called = ast.unparse(node.func)
            said = {one.arg: one.value for one in node.keywords if one.arg}
            if called.endswith("turn.open"):
                form, keys = node.args[0], list(said)
            elif called == "Intent" and "form" in said:
                form, keys = said["form"], _keys(said.get("answers"))
            else:
                continue
            name = form.value if isinstance(form, ast.Constant) else constants.get(ast.unparse(form), ast.unparse(form))
            yield place, name, keys


def _keys(answers: ast.expr | None) -> list[str]:
    if not isinstance(answers, ast.Dict):
        return []
    return [key.value for key in answers.keys if isinstance(key, ast.Constant)]


def test_what_a_form_is_opened_with_is_a_step_or_a_hint_of_it() -> None:
    found = list(opened())
    assert len(found) > 20
    hints = {form: keys for capability in registry.CAPABILITIES for form, keys in capability.hints.items()}
    wrong = []
    for place, name, keys in found:
        form = registry.FORMS.get(name)
        known = {step.id for step in form.steps} | hints.get(name, frozenset()) if form else set()
        wrong += [f"{place}: {name} has no step and no hint {key!r}" for key in keys if form and key not in known]
    assert wrong == []
