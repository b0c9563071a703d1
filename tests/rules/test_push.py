"""When a browser is told, and which addresses may be called for it."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.push.browsers import SERVICES, is_service, read_browser
from handlers.push.rules import GAP_MS, SETTLE_MS, Told, moment_ms, planned_for

NOW = 1_800_000_000_000
MINUTE = 60_000


# -- when


def test_the_first_message_is_told_in_a_moment() -> None:
    assert moment_ms(NOW, Told(0, 0, NOW - 5 * MINUTE)) == NOW + SETTLE_MS


def test_who_has_not_looked_since_is_left_alone_for_some_minutes() -> None:
    told = NOW - MINUTE
    assert moment_ms(NOW, Told(told, told, told - MINUTE)) == told + GAP_MS


def test_who_has_looked_since_is_told_again_at_once() -> None:
    told = NOW - MINUTE
    assert moment_ms(NOW, Told(told, told, NOW - 1)) == NOW + SETTLE_MS


def test_a_push_that_is_still_to_go_tells_of_what_comes_before_it() -> None:
    told = Told(NOW + 1_000, 0, 0)
    assert planned_for(NOW, told, urgent=False, awake_ms=NOW + SETTLE_MS) is None


def test_what_is_urgent_does_not_wait_for_a_push_of_the_morning() -> None:
    morning = NOW + 8 * 60 * MINUTE
    told = Told(morning, 0, 0)
    assert planned_for(NOW, told, urgent=False, awake_ms=morning) is None
    assert planned_for(NOW, told, urgent=True, awake_ms=morning) == NOW + SETTLE_MS


messages = st.lists(st.tuples(st.integers(0, 20 * MINUTE), st.booleans()), min_size=1, max_size=30)
looks = st.lists(st.integers(0, 400 * MINUTE), max_size=4)


@given(messages, looks, st.integers(0, 400 * MINUTE))
def test_never_twice_in_some_minutes_unless_they_looked_and_nothing_is_left_untold(
    gaps: list[tuple[int, bool]], looked: list[int], quiet_until: int
) -> None:
    """Play messages that wait, one after the other; at night only the urgent are told."""
    now, planned, told, last_urgent = NOW, 0, 0, False
    pushes: list[int] = []
    waiting: list[tuple[int, bool]] = []

    def run_until(moment: int) -> None:
        nonlocal told
        for at in sorted(timers):
            if at <= moment:
                timers.remove(at)
                if at == planned and any(told < due for due, _ in waiting if due <= at):
                    pushes.append(at)
                    told = at

    timers: set[int] = set()
    for gap, urgent in gaps:
        run_until(now + gap)
        now += gap
        waiting.append((now, urgent))
        last_urgent = any(one for due, one in waiting if due > told)
        seen = max((NOW + one for one in looked if NOW + one <= now), default=0)
        known = Told(planned, told, seen)
        awake = max(moment_ms(now, known), NOW + quiet_until)
        wanted = planned_for(now, known, urgent=last_urgent, awake_ms=awake)
        if wanted is not None:
            planned = wanted
            timers.add(wanted)
    run_until(now + 10_000 * MINUTE)
    assert told >= waiting[-1][0], "somebody was never told"
    for before, after in itertools.pairwise(pushes):
        assert after - before >= GAP_MS or any(before <= NOW + one <= after for one in looked)
    if not any(urgent for _, urgent in waiting):
        assert all(at >= NOW + quiet_until for at in pushes)


# -- whom we call


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:APA91b-_x",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%2f",
        "https://FCM.googleapis.com:443/wp/x",
    ],
)
def test_the_services_of_the_browsers_are_called(endpoint: str) -> None:
    assert is_service(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://googleapis.com/x",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://user:word@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com\\@127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://push.example.cn/x",
        "https://fcm.googleapis.com:x/",
        "https://fcm.googleapis.com /x",
        "https://fcm.googleapis.com/x\r\nHost: a",
        "https://fcm.googleapis.com/" + "x" * 1_000,
        "ftp://fcm.googleapis.com/x",
        "//fcm.googleapis.com/x",
        "",
    ],
)
def test_nothing_else_is_called(endpoint: str) -> None:
    assert not is_service(endpoint)


def test_an_operator_adds_a_service() -> None:
    assert is_service("https://a.push.example.cn/x", ("push.example.cn",))
    assert is_service("https://push.example.cn/x", ("push.example.cn",))
    assert not is_service("https://push.example.cn.evil.example/x", ("push.example.cn",))


@given(st.text(string.ascii_letters + string.digits + "./:@[]\\?#%- _\t", max_size=60))
def test_whatever_is_called_is_a_known_host(said: str) -> None:
    endpoint = f"https://{said}"
    if is_service(endpoint):
        host = said.split("/")[0].split("?")[0].split("#")[0].lower().removesuffix(":443")
        assert any(host == one or host.endswith(f".{one}") for one in SERVICES)


POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
GOOD = {"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}


def test_a_browser_s_own_words_are_read() -> None:
    assert read_browser({**GOOD, "expirationTime": None})["p256dh"] == POINT
    padded = {"p256dh": POINT + "=", "auth": "BTBZMqHH6r4Tts7J_aSIgg=="}
    assert read_browser({**GOOD, "keys": padded})["auth"].endswith("==")


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        "x",
        {},
        {**GOOD, "endpoint": 5},
        {**GOOD, "endpoint": "https://10.0.0.1/x"},
        {**GOOD, "keys": None},
        {**GOOD, "keys": {"p256dh": POINT}},
        {**GOOD, "keys": {"p256dh": POINT[:-4], "auth": "BTBZMqHH6r4Tts7J_aSIgg"}},
        {**GOOD, "keys": {"p256dh": "A" + POINT[1:], "auth": "BTBZMqHH6r4Tts7J_aSIgg"}},
        {**GOOD, "keys": {"p256dh": POINT, "auth": "BTBZ"}},
        {**GOOD, "keys": {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIg!"}},
        {**GOOD, "keys": {"p256dh": "x" * 5_000, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}},
    ],
)
def test_what_is_no_browser_is_refused(found: object) -> None:
    with pytest.raises(ValueError):
        read_browser(found)
