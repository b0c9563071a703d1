"""The limits are kept for any sequence of sends, holds are obeyed, and nobody is remembered for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.pacing import HOLDS_MAX, MINUTE_MS, SECOND_MS, TELEGRAM, UNLIMITED, Pace, RateLimits, telegram_limits

NOW_MS = 1_800_000_000_000
PERSON, NEIGHBOUR, GROUP = 7, 8, -1001
TIGHT = RateLimits(all_per_s=4, private_interval_ms=SECOND_MS, private_burst=3, group_per_min=5)

chats = st.sampled_from([1, 2, 3, -1, -2])
steps = st.lists(st.tuples(chats, st.integers(0, 1_500), st.booleans()), min_size=1, max_size=120)


def play(pace: Pace, moves: list[tuple[int, int, bool]]) -> list[tuple[int, int]]:
    """Let time pass, ask, and either wait and send or give up; the sends as (chat, at)."""
    now_ms, log = NOW_MS, []
    for chat, pause_ms, patient in moves:
        now_ms += pause_ms
        due_ms = pace.due_ms(chat, now_ms)
        assert due_ms >= now_ms
        if due_ms > now_ms:
            if not patient:
                continue
            assert pace.due_ms(chat, due_ms - 1) == due_ms, "an earlier time is never promised later"
            now_ms = due_ms
            assert pace.due_ms(chat, now_ms) == now_ms, "waiting as told is enough"
        pace.sent(chat, now_ms)
        log.append((chat, now_ms))
    return log


def most_in_a_span(times: list[int], span_ms: int) -> int:
    """The largest number of times in any half-open span."""
    return max((sum(1 for t in times if start <= t < start + span_ms) for start in times), default=0)


@given(steps)
def test_no_sequence_exceeds_a_limit(moves: list[tuple[int, int, bool]]) -> None:
    log = play(Pace(TIGHT), moves)
    assert most_in_a_span([at for _, at in log], SECOND_MS) <= 4
    for group in (-1, -2):
        assert most_in_a_span([at for chat, at in log if chat == group], MINUTE_MS) <= 5
    for person in (1, 2, 3):
        times = [at for chat, at in log if chat == person]
        for first, start in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= 3 + (times[last] - start) // SECOND_MS


@given(steps)
def test_with_telegrams_limits_an_obedient_sender_is_never_stopped_for_over_a_minute(
    moves: list[tuple[int, int, bool]],
) -> None:
    pace, now_ms = Pace(TELEGRAM), NOW_MS
    for chat, pause_ms, _ in moves:
        now_ms += pause_ms
        due_ms = pace.due_ms(chat, now_ms)
        assert due_ms <= now_ms + MINUTE_MS
        now_ms = due_ms
        pace.sent(chat, now_ms)


def test_three_messages_go_at_once_then_one_a_second() -> None:
    pace, waits = Pace(TELEGRAM), []
    now_ms = NOW_MS
    for _ in range(6):
        due_ms = pace.due_ms(PERSON, now_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
        pace.sent(PERSON, now_ms)
    assert waits == [0, 0, 0, 1000, 1000, 1000]


def test_one_slow_chat_does_not_delay_another() -> None:
    pace = Pace(TELEGRAM)
    for _ in range(20):
        pace.sent(GROUP, NOW_MS)
    assert pace.due_ms(GROUP, NOW_MS + 500) == NOW_MS + MINUTE_MS
    assert pace.due_ms(PERSON, NOW_MS + 500) == NOW_MS + 500


def test_the_global_limit_holds_everybody() -> None:
    pace = Pace(TELEGRAM)
    for person in range(1, 31):
        assert pace.due_ms(person, NOW_MS) == NOW_MS
        pace.sent(person, NOW_MS)
    assert pace.due_ms(99, NOW_MS + 1) == NOW_MS + SECOND_MS


def test_an_album_counts_every_picture() -> None:
    pace = Pace(TELEGRAM)
    pace.sent(PERSON, NOW_MS, messages=9)
    assert pace.due_ms(PERSON, NOW_MS) == NOW_MS + 7 * SECOND_MS


@pytest.mark.parametrize("limits", [TELEGRAM, UNLIMITED, RateLimits(0, 0, 0, 0)])
def test_retry_after_is_obeyed_for_one_chat_or_for_all(limits: RateLimits) -> None:
    pace = Pace(limits)
    pace.hold(PERSON, NOW_MS + 5_000)
    pace.hold(PERSON, NOW_MS + 2_000)
    assert pace.due_ms(PERSON, NOW_MS) == NOW_MS + 5_000
    assert pace.due_ms(NEIGHBOUR, NOW_MS) == NOW_MS
    pace.hold(None, NOW_MS + 3_000)
    assert pace.due_ms(NEIGHBOUR, NOW_MS) == NOW_MS + 3_000
    assert pace.due_ms(PERSON, NOW_MS + 5_000) == NOW_MS + 5_000


@pytest.mark.parametrize("limits", [UNLIMITED, RateLimits(0, 0, 0, 0), RateLimits(None, None, 1, None)])
def test_without_limits_nothing_waits_and_nothing_is_remembered(limits: RateLimits) -> None:
    pace = Pace(limits)
    for n in range(1_000):
        assert pace.due_ms(n - 500, NOW_MS) == NOW_MS
        pace.sent(n - 500, NOW_MS)
    assert len(pace) == 0


def test_idle_chats_are_forgotten() -> None:
    pace = Pace(TELEGRAM)
    for n in range(1, 20_001):
        now_ms = NOW_MS + n * 50
        pace.sent(n, now_ms)
        pace.sent(-n, now_ms)
    assert len(pace) <= MINUTE_MS // 50 + 10 * SECOND_MS // 50


def test_many_holds_stay_bounded_and_none_is_broken() -> None:
    pace = Pace(UNLIMITED)
    ends = {n: NOW_MS + 1_000 + n for n in range(1, HOLDS_MAX + 200)}
    for chat, until_ms in ends.items():
        pace.hold(chat, until_ms)
    assert len(pace) <= HOLDS_MAX
    assert all(pace.due_ms(chat, NOW_MS) >= until_ms for chat, until_ms in ends.items())


@given(steps, st.integers(0, 10_000_000))
def test_a_clock_set_back_delays_by_one_span_at_most(moves: list[tuple[int, int, bool]], back_ms: int) -> None:
    pace = Pace(TIGHT)
    play(pace, moves)
    now_ms = NOW_MS - back_ms
    for chat in (1, 2, 3, -1, -2):
        assert now_ms <= pace.due_ms(chat, now_ms) <= now_ms + MINUTE_MS


def test_the_setting_of_zero_lifts_every_limit_and_another_one_only_the_global() -> None:
    assert telegram_limits(0) == UNLIMITED
    assert telegram_limits(30) == TELEGRAM
    pace = Pace(telegram_limits(1))
    pace.sent(PERSON, NOW_MS)
    assert pace.due_ms(NEIGHBOUR, NOW_MS) == NOW_MS + SECOND_MS
