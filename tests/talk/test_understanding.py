"""Slots, examples and the ranking: what stands in a message, and which of the things that can be said it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.spoken import stored
from bot.spoken.learning import learn, store
from bot.talk.quantity import Counted, Volume, Weight
from bot.talk.understanding.examples import Example, read_example, read_examples
from bot.talk.understanding.features import Meanings, read_alike
from bot.talk.understanding.judging import judge
from bot.talk.understanding.model import Model, Ranked
from bot.talk.understanding.readers import READERS
from bot.talk.understanding.slots import LONGEST, Read, Slot, read
from bot.talk.understanding.when import span_of, spoken_of
from tests.understanding.example import LONG

SCRIPTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("张三李王家沟垃圾膜一二三十百千万半两斤公吨方车人点号月日周今昨天的错不是给收"),
        st.sampled_from("0123456789.,-:/%甘JNF ，。?？\n"),
    ),
    max_size=2_000,
)


def slots_of(words: str) -> list[tuple[str, str]]:
    found = read(words, READERS)
    return [(slot.kind, found.words(slot)) for slot in found.slots]


@pytest.mark.parametrize(
    ("words", "kind", "value"),
    [
        ("张三家拿来两袋膜，一共三十一斤半", "weight", Weight(15_750, "斤")),
        ("张三家拿来两袋膜，一共三十一斤半", "bags", Counted(2, "袋")),
        ("尾号0123 一吨二", "weight", Weight(1_200_000, "吨")),
        ("张三 31。5斤", "weight", Weight(15_750, "斤")),
        ("重量打错了应该是16.5公斤", "weight", Weight(16_500, "公斤")),
        ("收了张三20多斤棚膜", "weight", "vague"),
        ("有点土 扣5个点", "percent", 500),
        ("清理垃圾6.5立方", "volume", Volume(6_500, "立方")),
        ("人员25人、铲车1台", "people", Counted(25, "人")),
        ("膜3块5一公斤", "money", 350),
        ("八毛钱一斤", "money", 80),
        ("甘J12345的车在倒", "plate", "甘J12345"),
        ("那车没牌子", "plate", ""),
        ("打我电话13812345678", "phone", "13812345678"),
        ("11月20号", "date", "11月20号"),
        ("上周五的日报", "day", "上周五"),
        ("晚上七点多有人倒", "time", "晚上七点多"),
        ("给李师傅发个邀请", "person", "李师傅"),
        ("张三家交膜", "person", "张三"),
        ("替王秀兰查积分", "person", "王秀兰"),
        ("收了买买提·艾力20斤", "person", "买买提·艾力"),
    ],
)
def test_a_slot_is_read_wherever_it_stands(words: str, kind: str, value: object) -> None:
    assert read(words, READERS).first(kind) == value


@pytest.mark.parametrize(
    "words",
    ["电话13812345678斤", "0932-8812345斤", "甘J12345斤", "2026-11-20", "11月20号", "号码 139 1234 5678公斤的膜"],
)
def test_no_weight_is_read_from_a_telephone_a_plate_or_a_day(words: str) -> None:
    assert read(words, READERS).of("weight") == []


digits = st.text("0123456789", min_size=9, max_size=9)


@given(
    st.one_of(
        digits.map(lambda tail: f"1{3}{tail}"),
        st.text("0123456789", min_size=5, max_size=5).map(lambda tail: f"甘J{tail}"),
        st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: f"{day.year}-{day.month}-{day.day}日"),
    ),
    st.sampled_from(("斤", "公斤", "吨", "克", " 斤", "kg", "方")),
    st.sampled_from(("", "电话", "车牌", "今天", "张三 ")),
)
def test_a_number_of_another_kind_is_never_weighed(number: str, unit: str, before: str) -> None:
    found = read(f"{before}{number}{unit}", READERS)
    assert found.of("weight", "volume") == []
    assert number in "".join(found.words(slot) for slot in found.slots)


@pytest.mark.parametrize(
    ("words", "weighed"),
    [
        ("张三叁拾斤", "三十斤"),
        ("陆建国 陆拾伍公斤", "六十五公斤"),
        ("叁拾壹斤半", "三十一斤半"),
        ("收拾方便了", None),
        ("陆建国家", None),
    ],
)
def test_numerals_of_account_books_are_weighed_and_names_stay_names(words: str, weighed: str | None) -> None:
    found = [part for kind, part in slots_of(words) if kind == "weight"]
    assert found == ([weighed] if weighed else [])
    assert not words.startswith("陆") or read(words, READERS).said.startswith("陆建国")


@given(SCRIPTS)
def test_any_words_can_be_read_and_spans_never_overlap(words: str) -> None:
    found = read(words, READERS)
    taken = [at for slot in found.slots for at in range(slot.start, slot.end)]
    assert len(taken) == len(set(taken))
    parts = [part if isinstance(part, str) else found.words(part) for part in found.pieces()]
    assert "".join(parts) == found.said
    ranked = stored.model().rank(stored.meanings().features(found))
    assert sum(one.chance for one in ranked) == pytest.approx(1)
    assert {one.saying for one in ranked} == set(stored.model().sayings)


@pytest.mark.parametrize("words", LONG, ids=lambda words: repr(words[:9]))
def test_the_longest_of_messages_are_ranked(words: str) -> None:
    """How long that takes, `make bench` says."""
    ranked = stored.model().rank(stored.meanings().features(read(words, READERS)))
    assert sum(one.chance for one in ranked) == pytest.approx(1)


def test_of_two_readers_the_earlier_one_keeps_its_words() -> None:
    def whole(said: str) -> Iterator[Slot]:
        yield Slot("case", 0, len(said))

    assert slots_of("2026-0001") == []
    assert [slot.kind for slot in read("三十斤", (whole, *READERS)).slots] == ["case"]
    assert [slot.kind for slot in read("三十斤", (*READERS, whole)).slots] == ["weight"]


def test_what_no_slot_explains_is_known() -> None:
    assert read("张三家拿来两袋膜，一共三十一斤半", READERS).rest() == "家拿来 膜,一共"


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("11月20号收了多少", date(2026, 11, 20), date(2026, 11, 20)),  # a day, not its month
        ("上个月15号收了多少", date(2026, 10, 15), date(2026, 10, 15)),
        ("上周收了多少", date(2026, 11, 16), date(2026, 11, 22)),
        ("本周收了多少", date(2026, 11, 23), date(2026, 11, 28)),
        ("这个月收了几吨了", date(2026, 11, 1), date(2026, 11, 28)),
        ("上个月收了多少", date(2026, 10, 1), date(2026, 10, 31)),
        ("10月收了多少", date(2026, 10, 1), date(2026, 10, 31)),
        ("12月收了多少", date(2025, 12, 1), date(2025, 12, 31)),
        ("去年收了多少", date(2025, 1, 1), date(2025, 12, 31)),
        ("how much last week", date(2026, 11, 16), date(2026, 11, 22)),
    ],
)
def test_the_time_that_was_said_is_the_time_that_is_added_up(words: str, first: date, last: date) -> None:
    found = read(words, READERS)
    said = [found.words(slot) for slot in found.of("day", "date")]
    assert spoken_of(said, date(2026, 11, 28)) == (first, last)


@given(
    st.sampled_from(
        ["上周", "这周", "上个月", "这个月", "上上个月", "今年", "去年", *(f"{n}月" for n in range(1, 13))]
    ),
    st.dates(date(2020, 1, 1), date(2040, 12, 31)),
)
def test_a_stretch_of_time_is_whole_or_until_today(words: str, today: date) -> None:
    span = span_of(words, today)
    assert span is not None and span[0] <= span[1] <= today
    after = span[1] + timedelta(days=1)
    ends = after.weekday() == 0 if words.endswith("周") else after.day == 1
    assert span[1] == today or ends
    if words.endswith("月") and words[0].isdigit():
        assert (span[0].month, span[0].day) == (int(words[:-1]), 1) == (span[1].month, 1)


# -- examples and words alike


def test_examples_stand_in_sections() -> None:
    lines = ["# 说明", "[report]", "", " {place}有人倒垃圾 "]
    assert list(read_examples(lines)) == [Example("report", "{place}有人倒垃圾")]
    with pytest.raises(ValueError, match="no section"):
        list(read_examples(["垃圾满了"]))


def test_a_hole_is_a_slot_and_the_rest_is_read() -> None:
    found = read_example("{person}交了十斤", READERS)
    assert [slot.kind for slot in found.slots] == ["person", "weight"]


def test_a_word_has_one_meaning() -> None:
    lines = ["# x", "what: 什么 啥", "how: how do i | how"]
    assert read_alike(lines) == {"什么": "what", "啥": "what", "how do i": "how", "how": "how"}
    with pytest.raises(ValueError, match="means"):
        read_alike(["what: 啥", "how: 啥"])


def test_dialect_means_what_written_words_mean() -> None:
    meanings = Meanings({"什么": "what", "啥": "what", "fire": "burn"})
    common = set(meanings.features(read("能换啥", ()))) & set(meanings.features(read("能换什么", ())))
    assert "=what" in common
    assert "=burn" in meanings.features(read("a FIRE there", ()))
    assert "=burn" not in meanings.features(read("fired", ()))


def test_which_name_and_which_number_tells_nothing() -> None:
    features = stored.meanings().features
    assert features(read("张三家三十斤", READERS)) == features(read("王秀兰家 15.5公斤", READERS))


# -- the ranking

LAMPS = [Example("lamp", words) for words in ("路灯坏了", "灯不亮了", "路灯灭了")]
BINS = [Example("bin", words) for words in ("垃圾桶满了", "垃圾没人收", "桶里都是垃圾")]


def rank(model: Model, words: str) -> list[Ranked]:
    return model.rank(stored.meanings().features(read(words, READERS)))


def test_what_is_learnt_is_the_same_every_time() -> None:
    assert store(learn([*LAMPS, *BINS]), "x") == store(learn([*LAMPS, *BINS]), "x")
    assert rank(Model(learn([*LAMPS, *BINS])), "门口的路灯不亮")[0].saying == "lamp"


def test_a_township_adds_a_sentence_without_learning_anew() -> None:
    model = Model(learn([*LAMPS, *BINS]))
    features = stored.meanings().features(read("涝坝边上的盏盏瞎了", READERS))
    before = {one.saying: one.chance for one in model.rank(features)}
    after = {one.saying: one.chance for one in model.rank(features, [model.own("lamp", features)])}
    assert after["lamp"] > 0.9 > before["lamp"]
    other = stored.meanings().features(read("垃圾没人收", READERS))
    assert model.rank(other, [model.own("lamp", features)]) == model.rank(other)


def everything(_: str) -> bool:
    return True


def test_sure_half_sure_or_nothing() -> None:
    sure = [Ranked("report", 0.8), Ranked("urge", 0.1), Ranked("help", 0.1)]
    assert judge(sure, everything).sureness == "sure"
    ahead = [Ranked("points", 0.3), *(Ranked(str(at), 0.1) for at in range(7))]
    assert judge(ahead, everything).best == "points" and judge(ahead, everything).sureness == "sure"
    doubtful = [Ranked("report", 0.45), Ranked("urge", 0.4), Ranked("help", 0.1), Ranked("bye", 0.05)]
    assert [one.saying for one in judge(doubtful, everything).sayings] == ["report", "urge", "help"]
    assert judge([Ranked(str(at), 0.02) for at in range(50)], everything).sureness == "none"


def test_what_is_worse_when_it_is_wrong_must_be_likelier() -> None:
    ranked = [Ranked("report", 0.5), Ranked("help", 0.2), Ranked("urge", 0.15), Ranked("bye", 0.15)]
    assert judge(ranked, everything).sureness == "sure"
    assert judge(ranked, everything, careful={"report"}).sureness == "half"


def test_what_only_others_may_say_is_hardly_meant() -> None:
    ranked = [Ranked("rollcall", 0.9), Ranked("report", 0.02), *(Ranked(str(at), 0.01) for at in range(8))]
    assert judge(ranked, lambda one: one != "rollcall").sureness == "none"
    named = [Ranked("fix", 0.8), Ranked("rename", 0.15), Ranked("bind", 0.05)]
    assert judge(named, lambda one: one != "fix").best == "rename"
    assert judge(ranked, lambda one: False).best == ""


def test_the_stored_model_was_learnt_from_these_sentences() -> None:
    head = stored.MODEL.read_text("utf-8")[:200]
    learnt_from = re.search(r'"learnt_from": "(\w+)"', head)
    assert learnt_from is not None
    assert learnt_from[1] == stored.digest(), "sentences or the way they are read have changed: make learn"
    assert set(stored.model().sayings) == {one.saying for one in stored.examples()}


def test_a_long_message_is_read_as_far_as_it_goes() -> None:
    assert read("垃圾" * 5_000, READERS) == Read("垃圾" * (LONGEST // 2))
