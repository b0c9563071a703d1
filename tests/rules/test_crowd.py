"""What newcomers owe: the first nothing, a crowd some work, and nobody pays for another network's but by the whole."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.web.visitors.buckets import Buckets
from bot.web.visitors.crowd import (
    FEWEST_BITS,
    FREE_PER_NETWORK,
    FREE_SHARE,
    HOUR_MS,
    MINUTE_MS,
    MOST_BITS,
    REMEMBERED,
    Crowd,
    Toll,
    bits_for,
    network_of,
)
from bot.web.visitors.work import VALID_MS, WorkGiver, is_found
from tests.channels.website import done

PER_MINUTE, PER_HOUR = 40, 30
NOW_MS = 1_790_000_000_000
WHO = (1, "web:aunt")
STEPS = st.lists(
    st.tuples(st.sampled_from(["10.1.1", "10.1.2", "2001:0db8:0001:0002", ""]), st.integers(0, 90_000)), max_size=200
)


def test_the_first_of_a_network_pay_nothing_and_the_next_do() -> None:
    crowd = Crowd(120, 300)
    for _ in range(FREE_PER_NETWORK):
        assert crowd.asks(1, "10.1.1", NOW_MS) == Toll()
        crowd.add(1, "10.1.1", NOW_MS)
    assert crowd.asks(1, "10.1.1", NOW_MS) == Toll(FEWEST_BITS)
    assert crowd.asks(1, "10.1.2", NOW_MS) == Toll(), "another network's newcomer"
    assert crowd.asks(1, "10.1.1", NOW_MS + MINUTE_MS // FREE_PER_NETWORK) == Toll(), "it leaks"


def test_many_networks_together_fill_the_townships_measure_and_no_other_townships() -> None:
    crowd = Crowd(120, 300)
    for at in range(120):
        assert crowd.asks(1, f"10.1.{at}", NOW_MS).bits == bits_for((at + 1) / (120 // FREE_SHARE))
        crowd.add(1, f"10.1.{at}", NOW_MS)
    assert crowd.asks(1, "10.2.1", NOW_MS) == Toll(wait_ms=500)
    assert crowd.asks(2, "10.2.1", NOW_MS) == Toll()


def test_where_nobody_counts_nobody_pays() -> None:
    crowd = Crowd(0, 10)
    for _ in range(1_000):
        assert crowd.asks(1, "10.1.1", NOW_MS) == Toll()
        crowd.add(1, "10.1.1", NOW_MS)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_no_network_has_more_than_its_hour_and_no_township_more_than_its_minute(steps: list[tuple[str, int]]) -> None:
    crowd, now_ms, came = Crowd(PER_MINUTE, PER_HOUR), NOW_MS, []
    for network, after_ms in steps:
        now_ms += after_ms
        toll = crowd.asks(1, network, now_ms)
        assert toll.wait_ms >= 0 and toll.bits in (0, *range(FEWEST_BITS, MOST_BITS + 1))
        assert not (toll.wait_ms and toll.bits), "nobody works in vain"
        if not toll.wait_ms:
            crowd.add(1, network, now_ms)
            came.append((network, now_ms))
            lately = Counter(where for where, at_ms in came if now_ms - at_ms < HOUR_MS)
            assert all(count <= 2 * PER_HOUR for where, count in lately.items() if where)
            assert sum(now_ms - at_ms < MINUTE_MS for _, at_ms in came) <= 2 * PER_MINUTE
        else:
            later = crowd.asks(1, network, now_ms + toll.wait_ms)
            assert later.wait_ms == 0, "who comes when they were told to is heard"


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 9))
def test_a_crowd_elsewhere_costs_a_network_no_more_than_the_whole_does(steps: list[tuple[str, int]], own: int) -> None:
    with_them, alone, whole = Crowd(PER_MINUTE, PER_HOUR), Crowd(PER_MINUTE, PER_HOUR), Crowd(PER_MINUTE, PER_HOUR)
    now_ms = NOW_MS
    for network, after_ms in steps:
        now_ms += after_ms
        if not with_them.asks(1, network, now_ms).wait_ms:
            with_them.add(1, network, now_ms)
            whole.add(1, "", now_ms)
    for _ in range(own):
        one, other, both = (crowd.asks(1, "192.168.1", now_ms) for crowd in (alone, whole, with_them))
        assert both.wait_ms == max(one.wait_ms, other.wait_ms)
        if not both.wait_ms:
            assert both.bits == max(one.bits, other.bits)
            for crowd in (alone, whole, with_them):
                crowd.add(1, "192.168.1", now_ms)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 10 * HOUR_MS))
def test_when_they_are_gone_it_costs_nothing_again_whatever_the_clock_did(
    steps: list[tuple[str, int]], back_ms: int
) -> None:
    crowd, now_ms = Crowd(PER_MINUTE, PER_HOUR), NOW_MS
    for network, after_ms in steps:
        now_ms += after_ms
        if not crowd.asks(1, network, now_ms).wait_ms:
            crowd.add(1, network, now_ms)
    crowd.asks(1, "10.1.1", now_ms - back_ms)  # the clock is set back
    later_ms = now_ms - back_ms + REMEMBERED * MINUTE_MS
    assert crowd.asks(1, "10.1.9", later_ms) == Toll()
    assert crowd.asks(1, "10.1.1", later_ms).bits == 0


@given(st.floats(0.01, 1_000), st.floats(0.01, 1_000))
def test_more_of_them_never_cost_less_and_never_without_end(one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert bits_for(few) <= bits_for(many) <= MOST_BITS
    assert (bits_for(few) == 0) == (few <= 1)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 50), st.lists(st.integers(0, 5_000), max_size=120))
def test_a_bucket_forgets_as_fast_as_it_is_filled(count: int, steps: list[int]) -> None:
    buckets, now_ms, came = Buckets(count, 60_000), NOW_MS, []
    for after_ms in steps:
        now_ms += after_ms
        fits = buckets.wait_ms("a", now_ms) == 0
        assert fits == (buckets.fullness("a", now_ms) <= 1)
        if fits:
            buckets.add("a", now_ms)
            came.append(now_ms)
    assert len(came) >= min(count, len(steps)), "so many at once"
    assert buckets.wait_ms("b", now_ms) == 0


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("203.0.113.7", "203.0.113"),
        ("203.0.113.255", "203.0.113"),
        ("::ffff:203.0.113.9", "203.0.113"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:ffff::1", "2001:0db8:0001:0002"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_which_network_an_address_belongs_to(host: str, network: str) -> None:
    assert network_of(host) == network


def test_work_is_for_one_address_once_asked_for_in_its_time_and_whole() -> None:
    giver = WorkGiver(b"k" * 32)
    challenge = giver.ask(WHO, 4, NOW_MS)
    said = done(challenge)
    assert giver.is_done(WHO, said, NOW_MS + VALID_MS)
    assert not giver.is_done(WHO, said, NOW_MS + VALID_MS + 1), "late"
    assert not giver.is_done((1, "web:other"), said, NOW_MS), "somebody else's"
    assert not giver.is_done((2, "web:aunt"), said, NOW_MS), "for another township"
    assert not WorkGiver(b"o" * 32).is_done(WHO, said, NOW_MS), "another deployment's"
    assert not giver.is_done(WHO, said.rpartition("-")[0], NOW_MS), "a part is missing"
    assert not giver.is_done(WHO, challenge, NOW_MS)
    until_ms, _, rest = challenge.split(".", 2)
    assert not giver.is_done(WHO, done(f"{until_ms}.0.{rest}"), NOW_MS), "less than was asked for"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin1")))
def test_nothing_made_up_is_work(said: str) -> None:
    assert not WorkGiver(b"k" * 32).is_done(WHO, said, NOW_MS)


def test_a_nonce_has_four_bytes() -> None:
    assert not is_found("x", 0, 1 << 32, 0)
    assert is_found("x", 0, (1 << 32) - 1, 0)
