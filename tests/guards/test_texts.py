"""Catalogues: complete in both languages, same placeholders, every text a form or a file needs is there."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest

from bot.i18n import LOCALES, read_texts
from bot.talk.form import Choice, YesNo
from handlers import registry
from storage.product.film import EventKind, Fund
from storage.product.ledger import UNITS

ROOT = Path(__file__).parents[2]
TEXTS = {
    folder.name: read_texts(folder) | read_texts(folder / "console")
    for folder in sorted(LOCALES.iterdir())
    if folder.is_dir()
}
LANGUAGES = sorted(TEXTS)
KEY = re.compile(r"""\b(?:text|Text|say)\(\s*"([a-z0-9_.|]+)\"""")
FAILURE = re.compile(r"""(?:OperatorError|KeepingError|MoveError)\(\s*"([a-z0-9_]+)\"""")
BROKEN = re.compile(r"""\bbroken\(\s*"([a-z0-9_]+)\"""")
ERROR = re.compile(r"""PersonError\(\s*"([a-z0-9_]+)\"""")


def fields(template: str | tuple[str, ...]) -> set[str]:
    parts = [template] if isinstance(template, str) else list(template)
    return {name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name}


def sources() -> list[Path]:
    return [path for folder in ("bot", "handlers") for path in sorted((ROOT / folder).rglob("*.py"))]


def has(language: str, key: str) -> bool:
    return any(one in TEXTS[language] for one in key.split("|"))


def test_chinese_and_english_have_the_same_texts() -> None:
    assert LANGUAGES == ["en", "zh_CN"]
    assert set(TEXTS["en"]) ^ set(TEXTS["zh_CN"]) == set()


def test_no_text_is_empty() -> None:
    assert [(language, key) for language in LANGUAGES for key, value in TEXTS[language].items() if not value] == []


def test_no_text_is_only_a_placeholder() -> None:
    """Such a text says nothing: what fills it can be told as it is. Lines below each other are told by one."""
    bare = re.compile(r"\{\w+\}")
    empty = [key for key, value in TEXTS["zh_CN"].items() if isinstance(value, str) and bare.fullmatch(value.strip())]
    assert sorted(empty) == ["failure.lines", "failure.misspelt", "lines", "setting.other"]


def test_english_titles_begin_a_sentence() -> None:
    """«report. Please check:» reads like a slip of the pen."""
    titles = {key: str(value) for key, value in TEXTS["en"].items() if re.fullmatch(r"form\.\w+\.title", key)}
    assert titles and [key for key, value in titles.items() if not value[0].isupper()] == []


def test_english_quotes_are_of_one_kind() -> None:
    said = {key: value for key, value in TEXTS["en"].items() if not key.startswith(("phrase.", "said."))}
    assert [key for key, value in said.items() if '"' in str(value)] == []


def test_both_languages_fill_the_same_placeholders() -> None:
    differ = [key for key in TEXTS["zh_CN"] if fields(TEXTS["zh_CN"][key]) != fields(TEXTS["en"].get(key, ""))]
    assert differ == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_named_in_the_source_exists(language: str) -> None:
    missing = []
    for path in sources():
        source = path.read_text("utf-8")
        keys = {*KEY.findall(source), *(f"error.{code}" for code in ERROR.findall(source))}
        keys |= {f"failure.{code}" for code in FAILURE.findall(source)}
        missing += [(path.name, key) for key in keys if not has(language, key)]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_that_verify_may_find_is_told(language: str) -> None:
    paths = [*sources(), *sorted((ROOT / "storage").rglob("*.py"))]
    codes = {code for path in paths for code in BROKEN.findall(path.read_text("utf-8"))}
    listed = re.findall(
        r"(?:state|event|kind) TEXT NOT NULL[^,]*CHECK \((?:state|event|kind) IN \(([^)]*)\)",
        "".join(
            (ROOT / "storage" / "schema" / name).read_text("utf-8") for name in ("0006_cases.sql", "0007_film.sql")
        ),
    )
    states = set(get_args(EventKind)) | set(re.findall(r"'(\w+)'", listed[0]))
    wanted = [*codes, *(f"unit.{unit}" for unit in UNITS), *(f"fund.{fund}" for fund in get_args(Fund))]
    wanted += [f"state.{state}" for state in states]
    assert len(codes) >= 15 and "relapsed" in states
    assert [key for key in wanted if not has(language, f"fault.{key}")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_has_its_texts(language: str) -> None:
    missing = []
    for form in registry.FORMS.values():
        wanted = [f"form.{form.id}.title"]
        for step in form.steps:
            wanted.append(f"form.{form.id}.{step.id}.ask")
            if form.review:
                wanted.append(f"form.{form.id}.{step.id}.label")
            if isinstance(step, Choice):
                wanted += [f"form.{form.id}.{step.id}.option.{value}" for value in step.options]
            if isinstance(step, YesNo):
                wanted += [f"form.{form.id}.{step.id}.yes|button.yes", f"form.{form.id}.{step.id}.no|button.no"]
        missing += [key for key in wanted if not has(language, key)]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_of_the_product_has_a_name(language: str) -> None:
    assert [name for name in registry.CHECKS if not has(language, f"check.{name.replace(' ', '_')}.name")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_right_says_who_has_it(language: str) -> None:
    rights = {command.right for command in registry.COMMANDS.values()} | {
        form.right for form in registry.FORMS.values()
    }
    assert [right for right in rights if right and not has(language, f"right.{right}.who")] == []


def test_ids_are_forever() -> None:
    """A step or option id that was released may not vanish: stored sessions and rows name it."""
    now = {
        f"{form.id}.{step.id}" + (f"={value}" if value else "")
        for form in registry.FORMS.values()
        for step in form.steps
        for value in ("", *(step.options if isinstance(step, Choice) else ()))
    }
    listed = (ROOT / "tests" / "guards" / "step_ids.txt").read_text("utf-8").split()
    assert [one for one in listed if one not in now] == [], "ids vanished: bring them back"
    assert sorted(now - set(listed)) == [], "add the new ids to tests/guards/step_ids.txt"
