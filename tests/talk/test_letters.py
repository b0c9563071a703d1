"""The letters of names: kept as they were written, found however they are typed, never lost without a word."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk import letters
from storage.engine.migrate import load_migrations, statements
from storage.people.households import hexadecimal

HAN = st.one_of(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(min_codepoint=0x3400, max_codepoint=0x4DBF),
    st.integers(0x20000, 0x323AF).map(chr),
)
PARTS = st.lists(st.text(HAN, min_size=1, max_size=4), min_size=1, max_size=4)
BETWEEN = st.sampled_from(["", " ", "\u3000", *letters.DOTS, "．", "｡", "･", " · "])


@given(PARTS, st.lists(BETWEEN, min_size=8, max_size=8))
def test_a_name_is_found_with_any_dot_or_none_between_its_parts(parts: list[str], between: list[str]) -> None:
    typed = "".join(part + dot for part, dot in zip(parts, between, strict=False))
    assert letters.search_key(typed) == letters.search_key("·".join(parts))


@given(st.text(max_size=40))
def test_a_search_key_is_its_own(words: str) -> None:
    key = letters.search_key(words)
    assert letters.search_key(key) == key
    assert not set(key) & {*letters.DOTS, " ", "\u3000"}


@given(st.text(HAN, min_size=1, max_size=20), st.sampled_from(["", " ", "\u3000", "\u200b", "\u202e", "\u3164"]))
def test_no_letter_of_a_name_is_lost(name: str, padding: str) -> None:
    padded = padding + padding.join(name) + padding
    assert letters.as_written(padded) == name
    for cleaned in (letters.tidy(padded), letters.plain(padded)):
        assert cleaned.replace(" ", "") == unicodedata.normalize("NFKC", name)
    assert letters.has_letter(name)
    assert letters.unknown_letter(padded) is None


@given(st.integers(0, 0x10FFFF).map(chr))
def test_a_character_is_kept_or_has_no_ink_or_is_said_to_be_lost(one: str) -> None:
    kept = letters.as_written(f"张{one}三") != "张三"
    inkless = unicodedata.category(one) in ("Cc", "Cf", "Cs") or one in letters._FILLERS or one.isspace()
    assert kept or inkless or letters.unknown_letter(one) is not None


@pytest.mark.parametrize(
    ("old", "now"), [("\ue863", "䶮"), ("\ue81e", "龴"), ("\ue815", "⺁"), ("\ue864", "龻"), ("\ue816", "\U00020087")]
)
def test_letters_of_old_gbk_systems_have_their_places_now(old: str, now: str) -> None:
    """As glibc, ICU and the standard's own table have it."""
    assert letters.as_written(f"刘{old}") == letters.tidy(f"刘{old}") == f"刘{now}"
    assert letters.search_key(f"刘{old}") == letters.search_key(f"刘{now}")
    if ord(now) < 0x10000 and now not in "龴龻":
        place = ord(old) - 0xE815
        code = 0xFE50 + place + (place >= 0x7F - 0x50)
        assert code.to_bytes(2, "big").decode("gb18030") == now


@pytest.mark.parametrize("blank", ["\u3164", "\u115f\u1160", "\u2800", "··", "\u200b", "123", "😀"])
def test_what_shows_no_letter_is_no_name(blank: str) -> None:
    assert not letters.has_letter(letters.tidy(blank))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("张\ue000三", 1),
        ("张三\ufffd", 2),
        ("\ud800张", 0),
        ("张?三", 1),
        ("王□", 1),
        ("张三", None),
        ("刘\ue863", None),
    ],
)
def test_a_lost_letter_is_pointed_out(name: str, place: int | None) -> None:
    assert letters.lost_letter(name) == place


SHOWN = st.one_of(HAN, st.sampled_from(list(letters.DOTS)), st.sampled_from("AZaz09 "))


@given(st.text(SHOWN, min_size=1, max_size=12).map(letters.plain))
def test_the_schema_fills_old_rows_with_the_same_keys(name: str) -> None:
    """Old rows hold names as imports cleaned them: NFKC, single spaces."""
    fill = next(one for one in load_migrations() if one.name == "name_keys")
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE household_names (name TEXT, name_key TEXT)")
        connection.execute("INSERT INTO household_names VALUES (?, '')", (name,))
        connection.execute(statements(fill.sql)[0])
        assert connection.execute("SELECT name_key FROM household_names").fetchone()[0] == hexadecimal(
            letters.search_key(name)
        )
    connection.close()
