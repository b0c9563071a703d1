"""A question never invites what it refuses: what it says that it takes, and the examples the page's box gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.talk.form import Answer, Choice, Day, Form, Photos, Quantity, Step, Wrong, YesNo, wanted
from bot.talk.messages import In, Media
from handlers import registry
from handlers.policy.loader import load

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "bot" / "web" / "static"
WORDS_ARE_TAKEN = {"text", "place", "number", "weight", "percent", "date", "photos_words", "choice_words", "secret"}
HINT = re.compile(r"(\w+): \"(ask\w+)\"")
QUESTIONS = [(form, step) for form in registry.FORMS.values() for step in form.steps]


@dataclass(frozen=True)
class Facts:
    policy: Any
    today: date = date(2026, 11, 22)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts(load((ROOT / "examples" / "township" / "policy.toml").read_text("utf-8")))


def hints() -> dict[str, str]:
    """What a question may take -> the key of the words in the page's empty box."""
    source = (STATIC / "composer.js").read_text("utf-8")
    table = re.search(r"const HINTS = {(.*?)};", source, re.S)
    assert table is not None
    return dict(HINT.findall(table.group(1)))


def said(language: str, key: str) -> str:
    source = (STATIC / "texts.js").read_text("utf-8")
    block = re.search(rf"const {language} = {{(.*?)\n}};", source, re.S)
    assert block is not None
    found = re.search(rf'^  {key}: "(.*)",$', block.group(1), re.M)
    assert found is not None, key
    return found.group(1)


def named(question: tuple[Form, Step]) -> str:
    return f"{question[0].id}.{question[1].id}"


@pytest.mark.parametrize("question", QUESTIONS, ids=named)
def test_words_are_invited_only_where_they_are_taken(question: tuple[Form, Step]) -> None:
    form, step = question
    refuses = isinstance(step, (Choice, YesNo, Photos)) and step.search is None
    takes_words = not refuses or (isinstance(step, Photos) and form.words is not None)
    assert (wanted(form, step) in WORDS_ARE_TAKEN) is takes_words


def test_the_photo_of_a_scale_and_of_a_clean_up_is_no_place_for_words() -> None:
    asked = {named(question): wanted(*question) for question in QUESTIONS}
    assert asked["weigh.photo"] == asked["cleanup.photos"] == "photos"
    assert asked["report.photos"] == "photos_words"
    assert (asked["report.village"], asked["report.kind"]) == ("choice_words", "choice")


@pytest.mark.parametrize("question", [one for one in QUESTIONS if isinstance(one[1], (Quantity, Day))], ids=named)
@pytest.mark.parametrize("language", ["ZH", "EN"])
def test_the_example_in_the_box_answers_the_question(question: tuple[Form, Step], language: str, facts: Facts) -> None:
    form, step = question
    words = said(language, hints()[wanted(form, step)])
    example = re.split(r"如：|e\.g\. ", words)[1]
    first = re.split(r"[、,]", example)[0].strip()
    assert isinstance(step.read(In("text", text=first), facts), Answer), (words, first)


def test_every_kind_of_question_has_words_in_the_box() -> None:
    asked = {wanted(*question) for question in QUESTIONS}
    assert asked <= hints().keys()
    assert all(said(language, key) for language in ("ZH", "EN") for key in hints().values())


def test_a_question_that_takes_no_video_asks_for_none() -> None:
    for form, step in QUESTIONS:
        if not isinstance(step, Photos):
            continue
        refused = step.read(In("text", text="随便"), None)
        film = step.read(In("media", media=(Media("video", "a"),)), None)
        assert isinstance(refused, Wrong), form.id
        assert (refused.code == "photo_wanted") is isinstance(film, Answer), form.id
