"""When somebody may see who reported: never by themselves, never after a refusal, never too late."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.spans import HOUR_MS
from handlers.disclosure.rules import state_of


@dataclass(frozen=True)
class Entry:
    event: str
    person_id: int | None
    at_ms: int = 0


ASKED = Entry("asked", 1)
entries = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["confirmed", "declined", "seen"]),
        st.sampled_from([1, 2, 3, None]),
        st.integers(0, 100 * HOUR_MS),
    ),
    max_size=6,
)


@given(entries, st.integers(0, 200 * HOUR_MS), st.integers(1, 72))
def test_it_opens_only_with_somebody_else_s_consent_in_time(found: list[Entry], now_ms: int, hours: int) -> None:
    if state_of([ASKED, *found], now_ms, needs_second=True, valid_hours=hours) == "open":
        others = [one for one in found if one.event == "confirmed" and one.person_id not in (1, None)]
        assert others and not any(one.event == "declined" for one in found)
        assert now_ms < others[0].at_ms + hours * HOUR_MS


@given(entries, st.integers(0, 200 * HOUR_MS), st.integers(1, 72), st.booleans())
def test_what_is_over_or_declined_stays_so(found: list[Entry], now_ms: int, hours: int, second: bool) -> None:
    before = state_of([ASKED, *found], now_ms, needs_second=second, valid_hours=hours)
    after = state_of([ASKED, *found], now_ms + HOUR_MS, needs_second=second, valid_hours=hours)
    assert before not in ("over", "declined") or after == before


@pytest.mark.parametrize(
    ("found", "second", "now_ms", "state"),
    [
        ([], True, 0, "none"),
        ([ASKED], True, 0, "waits"),
        ([ASKED], False, 0, "open"),
        ([ASKED], False, 48 * HOUR_MS, "over"),
        ([ASKED, Entry("confirmed", 1)], True, 0, "waits"),
        ([ASKED, Entry("confirmed", 2, HOUR_MS)], True, 48 * HOUR_MS, "open"),
        ([ASKED, Entry("confirmed", 2, HOUR_MS)], True, 49 * HOUR_MS, "over"),
        ([ASKED, Entry("confirmed", 2), Entry("declined", 3)], True, 0, "declined"),
        ([ASKED, Entry("confirmed", None)], True, 0, "waits"),
    ],
)
def test_how_a_request_stands(found: list[Entry], second: bool, now_ms: int, state: str) -> None:
    assert state_of(found, now_ms, needs_second=second, valid_hours=48) == state
