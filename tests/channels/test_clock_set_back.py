"""A clock that is set back makes nobody wait: limits count spans, not the time of day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.pacing import UNLIMITED, Pace
from bot.clock import Steady
from bot.incoming.flood import FloodGate
from bot.web.guard import HttpRefusal, Rate

NOW_MS = 1_800_000_000_000
HOURS_MS = 13 * 3_600_000


@given(st.lists(st.integers(-HOURS_MS, HOURS_MS), min_size=1, max_size=50))
def test_steady_time_never_goes_back_and_passes_as_the_clock_does(moves: list[int]) -> None:
    steady, now_ms = Steady(), NOW_MS
    before_ms = steady.ms(now_ms)
    for move_ms in moves:
        now_ms += move_ms
        ms = steady.ms(now_ms)
        assert ms - before_ms == max(0, move_ms)
        before_ms = ms


@pytest.mark.parametrize("back_ms", [60_000, HOURS_MS, 400 * 86_400_000])
def test_the_page_answers_who_was_seen_before(back_ms: int) -> None:
    rate = Rate(20)
    for _ in range(20):
        rate.check("web:1", NOW_MS)
    with pytest.raises(HttpRefusal):
        rate.check("web:1", NOW_MS)
    rate.check("web:2", NOW_MS - back_ms)
    with pytest.raises(HttpRefusal):
        rate.check("web:1", NOW_MS - back_ms)  # set back in the middle of a flood: still a flood
    rate.check("web:1", NOW_MS - back_ms + 60_000)


def test_a_clock_that_ran_ahead_and_was_corrected_locks_nobody_out() -> None:
    rate = Rate(20)
    rate.check("web:1", NOW_MS)
    rate.check("web:1", NOW_MS + HOURS_MS)
    for _ in range(18):
        rate.check("web:1", NOW_MS)


@pytest.mark.parametrize("back_ms", [60_000, HOURS_MS])
def test_an_update_after_it_is_handled_at_once(back_ms: int) -> None:
    gate = FloodGate()
    judge = gate.judge(1, NOW_MS, 20)
    for _ in range(5):
        assert judge.due_ms("web:1") == NOW_MS
    assert judge.tells("web:1")
    gate.keep(judge)
    now_ms = NOW_MS - back_ms
    later = gate.judge(1, now_ms, 20)
    assert later.due_ms("web:1") == now_ms
    assert not later.tells("web:1"), "told a moment ago"
    gate.keep(later)
    assert gate.judge(1, now_ms + 60_000, 20).tells("web:1")


def test_what_a_platform_asked_to_wait_is_waited_and_no_longer() -> None:
    pace = Pace(UNLIMITED)
    assert pace.due_ms(7, NOW_MS) == NOW_MS
    pace.hold(7, NOW_MS + 5_000)
    back_ms = NOW_MS - HOURS_MS
    assert pace.due_ms(7, back_ms) == back_ms + 5_000
    assert pace.due_ms(7, back_ms + 5_000) == back_ms + 5_000
