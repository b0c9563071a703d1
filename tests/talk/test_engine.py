"""The engine: every conversation, whatever people send, stays within its form."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.talk import engine
from bot.talk.engine import Ask, Cancelled, Quiet, Review, Stale, Submit
from bot.talk.form import (
    Answer,
    Choice,
    Day,
    Doubt,
    Form,
    Found,
    FreeText,
    Option,
    Photos,
    Place,
    Quantity,
    Wrong,
    YesNo,
)
from bot.talk.messages import In, Media
from bot.talk.session import REVIEW, Frame, Session, complete, holds, next_step

WORDS = {"取消": ("x",), "返回": ("<",), "跳过": (">",), "完成": ("ok",), "提交": ("!",), "对": ("yes", "!")}


def place_of(event: In) -> Any:
    if event.kind == "place" and event.lat > 80:
        return Wrong("outside")
    return Answer({"label": event.text or f"{event.lat},{event.lng}"})


FACTS = SimpleNamespace(place_of=place_of, today=date(2026, 11, 22))


def grams(words: str, facts: Any) -> Any:
    if not words.isascii() or not words.isdigit():
        return Wrong("not_a_number")
    return Doubt(int(words), "heavy") if int(words) > 100 else Answer(int(words))


async def submit(turn: Any, answers: Any) -> None:
    raise AssertionError("the engine never submits by itself")


FORM = Form(
    "report",
    (
        Choice(id="kind", options=("dump", "fire", "river")),
        Photos(id="photos", optional=True, limit=3),
        Place(id="place"),
        FreeText(id="smell", when=lambda a: a.get("kind") == "fire", max_chars=20),
        Quantity(id="weight", parse=grams, optional=True),
        YesNo(id="anonymous", assume=lambda a: False),
        Day(id="day", optional=True),
        Found(id="who", optional=True),
    ),
    submit,
)


def shown(frame: Frame, effect: Any) -> Frame:
    """What the shell does: give the screen a revision and remember its buttons."""
    if not isinstance(effect, (Ask, Review)):
        return frame
    menu = (("提交", "!"), ("跳过", ">"), ("返回", "<"), ("取消", "x"), ("完成", "ok"))
    return Frame(**{**{n: getattr(frame, n) for n in frame.__slots__}, "rev": frame.rev + 1, "menu": menu})


def say(frame: Frame, words: str, found: list[Option] | None = None) -> tuple[Frame, Any]:
    frame, effect = engine.advance(FORM, frame, In("text", words), FACTS, WORDS, found)
    return shown(frame, effect), effect


def tap(frame: Frame, verb: str) -> tuple[Frame, Any]:
    frame, effect = engine.advance(FORM, frame, In("tap", data=f"{frame.rev}.{verb}"), FACTS, WORDS)
    return shown(frame, effect), effect


def start(**answers: Any) -> tuple[Frame, Any]:
    frame, effect = engine.begin(FORM, answers)
    return shown(frame, effect), effect


def test_a_report_from_the_first_question_to_the_review() -> None:
    frame, effect = start()
    assert isinstance(effect, Ask) and effect.step.id == "kind"
    frame, effect = tap(frame, "=dump")
    assert effect.step.id == "photos"
    frame, effect = engine.advance(FORM, frame, In("media", media=(Media("image", "a"),)), FACTS, WORDS)
    assert effect.note.code == "photos_noted"
    frame = shown(frame, effect)
    frame, effect = tap(frame, "ok")
    assert effect.step.id == "place"
    frame, effect = say(frame, "桥头")
    frame, effect = say(frame, "12")
    frame, effect = tap(frame, ">")
    frame, effect = tap(frame, ">")
    assert isinstance(effect, Review)
    assert complete(FORM, frame.answers) == {
        "kind": "dump",
        "photos": [["image", "a", 0]],
        "place": {"label": "桥头"},
        "weight": 12,
        "anonymous": False,
        "day": None,
        "who": None,
    }
    frame, effect = tap(frame, "!")
    assert isinstance(effect, Submit)


def test_what_is_known_is_not_asked_and_an_assumed_answer_can_be_changed() -> None:
    frame, effect = start(kind="dump", photos=[], place={"label": "x"}, weight=None, day=None, who=None)
    assert isinstance(effect, Review)
    frame, effect = tap(frame, "@anonymous")
    assert effect.step.id == "anonymous"
    frame, effect = tap(frame, "=1")
    assert isinstance(effect, Review)
    assert complete(FORM, frame.answers)["anonymous"] is True


def test_a_corrected_early_answer_keeps_the_later_ones_and_opens_a_new_branch() -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"}, weight=5, day=None, who=None)
    frame, _ = tap(frame, "@kind")
    frame, effect = tap(frame, "=fire")
    assert isinstance(effect, Ask) and effect.step.id == "smell"
    frame, effect = say(frame, "焦味")
    assert isinstance(effect, Review) and frame.answers["weight"] == 5


def test_an_old_button_is_known_to_be_old() -> None:
    frame, _ = start()
    old = frame.rev
    frame, _ = tap(frame, "=dump")
    after, effect = engine.advance(FORM, frame, In("tap", data=f"{old}.=fire"), FACTS, WORDS)
    assert isinstance(effect, Stale) and after.answers["kind"] == "dump"


def test_free_text_answers_what_was_asked_even_when_the_form_changed() -> None:
    frame = Frame("report", {"kind": "dump"}, asked="gone", rev=4)
    frame, effect = say(frame, "桥头")
    assert isinstance(effect, Ask) and effect.note is not None and effect.note.code == "question_gone"
    assert "place" not in frame.answers


def test_a_stored_answer_that_no_longer_fits_is_asked_again() -> None:
    _, effect = start(kind="abolished", photos=[], place={"label": "x"}, weight=1, day=None, who=None)
    assert isinstance(effect, Ask) and effect.step.id == "kind"


def test_an_album_is_one_answer() -> None:
    frame, _ = start(kind="dump")
    answers = []
    for ref in "abc":
        event = In("media", media=(Media("image", ref),), album="album-1")
        frame, effect = engine.advance(FORM, frame, event, FACTS, WORDS)
        answers.append(type(effect))
    assert answers == [Ask, Quiet, Quiet] and len(frame.answers["photos"]) == 3
    frame, effect = engine.advance(FORM, frame, In("media", media=(Media("image", "d"),)), FACTS, WORDS)
    assert isinstance(effect, Ask) and effect.note is not None and effect.note.code == "photos_full"
    assert len(frame.answers["photos"]) == 3


def test_the_same_photo_twice_is_kept_once() -> None:
    frame, _ = start(kind="dump")
    for _ in range(2):
        frame, _ = engine.advance(FORM, frame, In("media", media=(Media("image", "a"),)), FACTS, WORDS)
    assert len(frame.answers["photos"]) == 1


def test_a_photo_or_a_position_that_comes_early_is_taken_where_it_belongs() -> None:
    frame, _ = start()
    frame, effect = engine.advance(FORM, frame, In("place", lat=35.5, lng=104.6), FACTS, WORDS)
    assert isinstance(effect, Ask) and effect.step.id == "kind" and effect.note is not None
    assert frame.answers["place"] == {"label": "35.5,104.6"}
    frame, effect = engine.advance(FORM, shown(frame, effect), In("media", media=(Media("image", "a"),)), FACTS, WORDS)
    assert frame.answers["photos"] and isinstance(effect, Ask) and effect.step.id == "kind"


def test_an_odd_value_is_asked_again_and_taken_the_second_time() -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"})
    frame, effect = say(frame, "500")
    assert isinstance(effect, Ask) and effect.doubt is not None and "weight" not in frame.answers
    again, effect = say(frame, "500")
    assert again.answers["weight"] == 500
    corrected, _ = say(frame, "50")
    assert corrected.answers["weight"] == 50
    confirmed, _ = tap(frame, "yes")
    assert confirmed.answers["weight"] == 500
    asked, effect = tap(frame, "no")
    assert "weight" not in asked.answers and isinstance(effect, Ask) and effect.doubt is None


def test_one_hit_is_the_answer_and_several_are_offered() -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"}, weight=1, day=None)
    assert frame.asked == "who"
    found = [Option("1", "张三 一社"), Option("2", "张三 二社")]
    several, effect = say(frame, "张三", found)
    assert isinstance(effect, Ask) and several.offered == (("1", "张三 一社"), ("2", "张三 二社"))
    chosen, effect = tap(several, "=2")
    assert chosen.answers["who"] == {"id": "2", "label": "张三 二社"} and isinstance(effect, Review)
    one, _ = say(frame, "张三", found[:1])
    assert one.answers["who"] == {"id": "1", "label": "张三 一社"}
    none, effect = say(frame, "无人", [])
    assert isinstance(effect, Ask) and effect.problem is not None and "who" not in none.answers


@pytest.mark.parametrize(
    ("said", "day"),
    [("2026-11-20", "2026-11-20"), ("11月20日", "2026-11-20"), ("昨天", "2026-11-21"), ("12.31", "2025-12-31")],
)
def test_dates_as_people_write_them(said: str, day: str) -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"}, weight=1)
    frame, _ = say(frame, said)
    assert frame.answers["day"] == day


@pytest.mark.parametrize("said", ["2026-13-40", "明年", "²", "1/2/3/4", ""])
def test_what_is_no_date_is_said_to_be_none(said: str) -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"}, weight=1)
    frame, effect = say(frame, said)
    assert "day" not in frame.answers and isinstance(effect, Ask)


VERBS = ["=dump", "=fire", "=1", "=0", "=nope", "<", ">", "ok", "!", "x", "yes", "no", "@kind", "@gone", "@anonymous"]
WORDS_SAID = ["取消", "返回", "跳过", "1", "2", "9", "500", "桥头", "提交", "😀"]
events = st.one_of(
    st.builds(In, st.just("text"), st.text(max_size=30)),
    st.builds(In, st.just("text"), st.sampled_from(WORDS_SAID)),
    st.builds(lambda at, verb: ("tap", at, verb), st.integers(0, 2), st.sampled_from([*VERBS, ""])),
    st.builds(
        lambda ref, album: In("media", media=(Media("image", ref),), album=album),
        st.sampled_from("abcdef"),
        st.sampled_from(["", "A", "B"]),
    ),
    st.builds(lambda lat: In("place", lat=lat, lng=104.0), st.sampled_from([35.5, 85.0])),
    st.sampled_from([In("file"), In("other")]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(events, max_size=30))
def test_whatever_people_send_the_session_stays_sound(sent: list[Any]) -> None:
    frame, effect = start()
    for event in sent:
        if isinstance(event, tuple):
            _, age, verb = event
            event = In("tap", data=f"{frame.rev - age}.{verb}")
        before = frame
        frame, effect = engine.advance(FORM, frame, event, FACTS, WORDS, [] if event.kind == "text" else None)
        if isinstance(effect, (Cancelled, Submit)):
            if isinstance(effect, Submit):
                assert next_step(FORM, frame.answers) is None
            frame, effect = start()
            continue
        if isinstance(effect, Stale):
            assert frame.answers == before.answers
        frame = shown(frame, effect)
        stored = json.loads(json.dumps(Session((frame,), rev=frame.rev).to_json()))
        assert Session.from_json(stored).top == frame
        assert frame.asked == REVIEW or FORM.step(frame.asked) is not None
        for step in FORM.steps:
            if step.id in frame.answers:
                assert holds(step, frame.answers[step.id]), (step.id, frame.answers[step.id])
        assert len(frame.answers.get("photos") or []) <= 3
        if isinstance(effect, Review):
            assert next_step(FORM, frame.answers) is None


def test_words_that_a_review_can_not_take_are_not_lost_silently() -> None:
    frame, _ = start(kind="dump", photos=[], place={"label": "x"}, weight=1, day=None, who=None)
    _, effect = say(frame, "张三 15公斤")
    assert isinstance(effect, Review) and effect.note is not None and effect.note.code == "review_first"


WHERE = Form(
    "where",
    (
        Place(id="place"),
        FreeText(id="village", when=lambda answers: "area_id" not in (answers.get("place") or {})),
        Choice(id="kind", options=("dump", "fire")),
    ),
    submit,
)


def pinned(event: In) -> Any:
    return Answer({"label": "桥头", "area_id": 7} if event.kind == "place" else {"label": event.text})


@pytest.mark.parametrize("known", [{}, {"kind": "dump"}])
def test_what_comes_early_may_answer_the_open_question(known: dict[str, Any]) -> None:
    """A position at «哪个村的？» says the village, too: the next question follows, or the review."""
    facts = SimpleNamespace(place_of=pinned, today=FACTS.today)
    frame, _ = engine.begin(WHERE, {**known, "place": {"label": "沟里"}}, facts)
    assert frame.asked == "village"
    _, effect = engine.advance(WHERE, frame, In("place", lat=35, lng=104), facts, WORDS)
    assert isinstance(effect, Review) if known else isinstance(effect, Ask) and effect.step.id == "kind"
    assert isinstance(effect, (Ask, Review)) and isinstance(effect.note, Wrong) and effect.note.code == "place_noted"


def test_words_beside_the_question_may_answer_it() -> None:
    frame, _ = engine.begin(WHERE, {"place": {"label": "沟里"}}, FACTS)
    aside = {"place": {"label": "桥头", "area_id": 7}}
    _, effect = engine.take_aside(WHERE, frame, aside)
    assert isinstance(effect, Ask) and effect.step.id == "kind"
