"""Two townships that differ in one thing only, who of two neighbours reported: nobody else can tell them apart.

Whatever people of every role say and press, in whatever order, they read the same in both, to the letter, and the
program asks its database equally often. The one sanctioned way, a reason and a second person, is not walked to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.messages import Text, text
from handlers import registry
from handlers.cases import showing
from storage.engine import sqlite
from storage.product import case_vault, cases
from storage.product.cases import Case
from tests.stories import doings
from tests.stories.laws import a_town, told
from tests.stories.someone import Someone
from tests.stories.town import Town

CARDS = ("N0001", "N0002")
ROLES = (
    ("赵网格", "grid_keeper", "王家沟"),
    ("李主任", "staff", ""),
    ("孙会计", "finance", ""),
    ("钱审计", "auditor", ""),
    ("周管理", "admin", ""),
    ("吴师傅", "cleaner", "王家沟"),
    ("家里人", "", ""),
    ("邻居家里人", "", ""),
    ("路过的", "", ""),
)
REVEALS = "看举报人"  # the end of the sanctioned way
WORDS = ("", "{number}", "N0001", "N0002", "王大娘", "刘大娘", "2026-11", "{number} true", "{number} false")
says = st.tuples(st.just("says"), st.sampled_from(sorted(registry.COMMANDS)), st.sampled_from(WORDS))
does = st.one_of(
    says,
    says,
    st.tuples(st.just("taps"), st.integers(0, 7), st.just("")),
    st.tuples(st.just("waits"), st.sampled_from((11, 60 * 20, 60 * 24 * 40)), st.just("")),
)
played = st.lists(st.tuples(st.integers(0, len(ROLES) - 1), does), min_size=5, max_size=25)


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often the database is asked: what takes equally many questions takes as long."""
    asked, ask = [0], sqlite.SqliteTx._do

    def one_more(tx: sqlite.SqliteTx, sql: str, params: Any) -> Any:
        asked[0] += 1
        return ask(tx, sql, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite.SqliteTx, "_do", one_more)
        yield asked


async def neighbours(town: Town) -> tuple[list[Someone], list[Someone]]:
    """Two who may have reported, each of a household with somebody else in it; and everybody who looks on."""
    two = [await town.person("王大娘"), await town.person("刘大娘")]
    others = [await town.person(name, role=role, area=area) for name, role, area in ROLES]
    for card, aunt, relative in zip(CARDS, two, others[6:8], strict=True):
        await doings.belongs(town, aunt, card, "householder")
        await doings.belongs(town, relative, card)
    return two, others


async def act(town: Town, someone: Someone, what: tuple[str, Any, str], number: str) -> None:
    """One thing that somebody does; what can't be done now is not."""
    verb, chosen, more = what
    if verb == "says":
        await someone.says(f"/{chosen} {more.format(number=number)}".strip())
    elif verb == "waits":
        town.clock.advance(minutes=chosen)
        await town.tick()
    elif someone.heard and someone.last.buttons:
        label = someone.last.labels[chosen % len(someone.last.buttons)]
        if label != REVEALS and not label.startswith("📍"):
            await someone.taps(label, someone.last)


async def seen(template: Path, reporter: int, named: bool, done: list[tuple[int, Any]]) -> list[Any]:
    """Everything that the others read while all that is done, with how often the database was asked for each step."""
    async with a_town(template) as town:
        two, others = await neighbours(town)
        aunt = two[reporter]
        number = await doings.reports(aunt) if named else (await doings.reports_anonymously(aunt))[0]
        read, found = 0, []
        for who, what in [(1, ("says", "menu", "")), *done]:
            with counted() as asked:
                await act(town, others[who], what, number)
            heard = [
                (other.name, one.text, one.buttons, one.links, len(one.media)) for other in others for one in other.news
            ]
            read += len(heard)
            found.append((what, heard, asked[0]))
        assert read, "somebody read something"
        return found


@told(8)
@given(named=st.booleans(), done=played)
def test_nobody_can_tell_which_of_two_neighbours_reported(
    sqlite_template: Path, named: bool, done: list[tuple[int, Any]]
) -> None:
    ones, others = (asyncio.run(seen(sqlite_template, reporter, named, done)) for reporter in (0, 1))
    for one, other in zip(ones, others, strict=True):
        assert one == other


async def telling_line(turn: Any, person_id: int) -> list[Text]:
    return [text("case.points", points=person_id)]


async def telling_time(turn: Any, person_id: int) -> list[Text]:
    for _ in range(person_id % 1_000):
        await cases.case(turn.tx, 1)
    return []


@pytest.mark.parametrize("tells", [telling_line, telling_time])
def test_a_card_that_tells_by_a_figure_or_by_its_time_is_found_out(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, tells: Any
) -> None:
    facts = showing.facts

    async def careless(turn: Any, case: Case, **how: Any) -> list[Text]:
        reporter = await case_vault.reporter(turn.tx, case.id)
        assert reporter is not None and reporter.person_id is not None
        return [*await facts(turn, case, **how), *await tells(turn, reporter.person_id)]

    monkeypatch.setattr(showing, "facts", careless)
    done = [(0, ("says", "case", "{number}"))]
    one, other = (asyncio.run(seen(sqlite_template, reporter, True, done)) for reporter in (0, 1))
    assert one[:-1] == other[:-1] and one[-1] != other[-1]
