"""The test sentences are understood well enough, and none of them is one that was learnt."""

from __future__ import annotations

import pytest

from bot.console import phrasebook
from bot.spoken import stored
from bot.spoken.learning import learn
from bot.talk.hearing import bare
from bot.talk.understanding.model import Model
from handlers import registry
from handlers.people.rules import EVERY_ROLE, RIGHTS, roles_with
from tests.understanding.example import HERE, hears, lines, sentences, world
from tests.understanding.matrix import Matrix, judged

AT_ONCE, AT_ONCE_OR_OFFERED, FALSELY_REPORTED = 0.88, 0.95, 0.01
NEVER_SEEN, NEVER_SEEN_OR_OFFERED = 0.75, 0.9  # of sentences that nobody looked at while writing examples
FEWEST_SENTENCES, FEWEST_EXAMPLES = 600, 10


@pytest.fixture(scope="module")
def all_of_them() -> Matrix:
    return judged(sentences())


def test_enough_is_understood(all_of_them: Matrix) -> None:
    assert all_of_them.sentences >= FEWEST_SENTENCES
    assert all_of_them.right_at_once >= AT_ONCE, all_of_them.missed
    assert all_of_them.right_or_offered >= AT_ONCE_OR_OFFERED, all_of_them.missed
    assert all_of_them.falsely_reported <= FALSELY_REPORTED, all_of_them.taken


def test_sentences_that_nobody_learnt_from_are_understood_nearly_as_well() -> None:
    found = judged(lines(HERE / "sentences" / "fresh.tsv"))
    assert found.right_at_once >= NEVER_SEEN, found.missed
    assert found.right_or_offered >= NEVER_SEEN_OR_OFFERED, found.missed
    assert found.falsely_reported <= FALSELY_REPORTED, found.taken


def test_a_capability_s_sentences_take_none_of_another_s(all_of_them: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {saying.id for saying in next(one for one in registry.CAPABILITIES if one.name == "film").sayings}
    without = Model(learn([one for one in stored.examples() if one.saying not in own]))
    others = [line for line in sentences() if line.saying not in own]
    taken = {(line.role, line.words) for line, took in all_of_them.missed if took in own and line.saying not in own}
    assert len(taken) <= len(others) * 0.01, taken
    monkeypatch.setattr(stored, "model", lambda: without)
    alone = judged(others)
    together = 1 - sum(line.saying not in own for line, _ in all_of_them.missed) / len(others)
    assert together >= alone.right_at_once - 0.02


def test_no_test_sentence_was_learnt() -> None:
    learnt = {bare(one.words) for one in stored.examples()}
    tested = [*sentences(), *lines(HERE / "utterances.tsv")]
    assert [line.words for line in tested if bare(line.words) in learnt] == []


def test_every_test_sentence_is_one_that_its_sender_may_say() -> None:
    for line in sentences():
        assert line.role in ("villager", *EVERY_ROLE), line
        saying = registry.DECLARED.sayings[line.saying]
        assert not saying.right or line.role in roles_with(saying.right), line
    assert {line.saying for line in sentences()} == set(registry.DECLARED.sayings)


# -- the declarations


def test_every_saying_has_examples_and_every_example_a_saying() -> None:
    examples = list(stored.examples())
    declared = set(registry.DECLARED.sayings)
    assert {one.saying for one in examples} == declared
    few = {one: sum(example.saying == one for example in examples) for one in declared}
    assert {one: count for one, count in few.items() if count < FEWEST_EXAMPLES} == {}


def test_no_sentence_stands_twice() -> None:
    words = [one.words for one in stored.examples()]
    assert sorted({one for one in words if words.count(one) > 1}) == []


def test_who_may_say_it_is_a_right() -> None:
    rights = {one.right for one in registry.DECLARED.sayings.values()} - {""}
    assert all(roles_with(right) for right in rights)
    assert rights - set(RIGHTS) <= {"see_county"}


def test_what_always_wins_is_declared() -> None:
    for words in ("山上着火了", "请删除我的信息", "不要给我发消息了"):
        assert stored.always(words) in registry.DECLARED.sayings
    assert stored.always("火着火了又灭了") == ""


def test_a_township_adds_its_own_words() -> None:
    said = "场畔里乱得没处下脚"
    assert hears("villager", said).judged.best == "report"
    assert any(said in one.words for one in world().policy.sayings)


def test_a_township_says_who_handles_what_is_not_ours() -> None:
    office = world().policy.elsewhere.office_for("我家门口路灯坏了")
    assert office is not None and office.phone == "10000000021"
    assert hears("villager", "水停了两天了").judged.best == "elsewhere"


def test_words_of_nothing_are_nothing() -> None:
    for words in ("咕叽咕叽啪", "qwertz asdf", "乾坤坎离震巽艮兑"):
        assert hears("villager", words).judged.sureness != "sure", words


@pytest.mark.parametrize("language", phrasebook.PAGES)
def test_the_page_of_what_can_be_said_is_what_is_declared(language: str) -> None:
    written = (phrasebook.DOCS / language / "said.md").read_text("utf-8")
    assert written == phrasebook.page(language), "sayings or their sentences have changed: make learn"
