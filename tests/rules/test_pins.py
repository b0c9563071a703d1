"""Which PINs are too easy, how pauses grow, what is never stored of one."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Raw
from bot.channels.telegram.wire import arrival_of, masked_update
from bot.channels.webchat import WebChat
from bot.channels.webchat_wire import own_message, read_body
from bot.channels.wechat.wire import arrival_of as wechat_arrival
from bot.channels.wechat.wire import masked_push, update_of
from bot.i18n import Catalogues
from bot.talk import engine
from bot.talk.form import Secret
from bot.talk.messages import HIDDEN, In
from bot.talk.session import Frame, Session, tells_a_secret, without_secrets
from bot.turn import Role
from handlers import registry
from handlers.people.rules import RIGHTS
from handlers.pins import rules
from handlers.pins.asking import PIN
from handlers.policy.security import StepUp

SECRET_FORMS = [form for form in registry.FORMS.values() if any(isinstance(step, Secret) for step in form.steps)]
EVENTS = st.lists(
    st.tuples(st.sampled_from(["right", "wrong", "set", "changed", "reset", "over"]), st.integers(1, 3_600_000)),
    max_size=30,
)


def history(pairs: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Events with the time between them, the newest first."""
    at_ms, found = 0, []
    for event, later_ms in pairs:
        at_ms += later_ms
        found.append({"event": event, "at_ms": at_ms})
    return found[::-1]


@pytest.mark.parametrize("easy", [
    "000000", "111111", "123456", "234567", "987654", "890123", "123123", "121212", "112211", "123321", "888666",
    "19870312", "12031987", "870312", "000229", "147258", "5201314", "12341234", "135791", "11111111111",
])  # fmt: skip
def test_what_anybody_would_try_first_is_too_easy(easy: str) -> None:
    assert rules.is_easy(easy)


@pytest.mark.parametrize("good", ["482913", "713905", "905713", "19873312", "1987031", "48291348", "010230982"])
def test_others_are_not(good: str) -> None:
    assert not rules.is_easy(good)


@given(st.integers(6, 12).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size)))
def test_what_is_easy_stays_easy_from_behind_where_it_is_a_pattern(pin: str) -> None:
    patterns = len(set(pin)) <= 2 or pin == pin[::-1]
    assert not patterns or (rules.is_easy(pin) and rules.is_easy(pin[::-1]))


@given(EVENTS, st.integers(1, 3_600_000))
def test_a_wrong_one_never_shortens_the_pause_and_a_right_one_ends_it(
    pairs: list[tuple[str, int]], later_ms: int
) -> None:
    before = history(pairs)
    wrong = history([*pairs, ("wrong", later_ms)])
    assert rules.wait_until_ms(wrong) >= rules.wait_until_ms(before)
    assert rules.tries_left(wrong) <= rules.tries_left(before)
    assert (rules.wait_until_ms(wrong) == 0) == (rules.tries_left(wrong) > 0)
    for event in rules.ENDS_WRONG:
        assert rules.wait_until_ms(history([*pairs, (event, later_ms)])) == 0
    assert rules.wait_until_ms(history([*pairs, ("over", later_ms)])) == rules.wait_until_ms(before)


@given(st.integers(0, 40))
def test_pauses_grow_and_never_last_longer_than_a_day(wrong: int) -> None:
    waits = [
        rules.wait_until_ms(history([("wrong", 1)] * count)) - count if count >= rules.FREE_TRIES else 0
        for count in range(wrong + 1)
    ]
    assert waits == sorted(waits)
    assert max(waits) <= rules.DAY_MS


def test_cleaners_and_villagers_are_asked_for_none_by_the_usual_policy() -> None:
    usual = StepUp()
    assert set(usual.asks) <= set(RIGHTS)
    for role in ("cleaner", "station_keeper", "grid_keeper"):
        assert not rules.is_asked([Role(role, 1)], usual.asks), role
    assert not rules.is_asked([], usual.asks)
    for role in ("staff", "finance", "auditor", "admin"):
        assert rules.is_asked([Role(role, 1)], usual.asks), role
    assert rules.must_have([Role("finance", 1)], ("finance",)) and not rules.must_have([Role("staff", 1)], ("finance",))


@pytest.mark.parametrize("form", SECRET_FORMS, ids=lambda form: form.id)
def test_a_secret_is_a_form_s_last_answer_and_no_session_holds_it(form: Any) -> None:
    """With all that opens the form known, the digits lead to `submit` at once."""
    known = {step.id: "x" for step in form.steps if not isinstance(step, Secret)}
    frame, effect = engine.begin(form, known)
    assert isinstance(effect, engine.Ask) and isinstance(effect.step, Secret)
    frame, effect = engine.advance(form, frame, In("text", "482913"), None, {})
    assert isinstance(effect, engine.Submit)
    assert "482913" not in repr(Session((without_secrets(form, frame),)).to_json())
    assert not form.review


@pytest.mark.parametrize("said", ["482913", "４８２９１３", "48 29 13", "4829", "密码是482-913", "482913。", "48291"])
def test_what_is_like_an_answer_is_hidden(said: str) -> None:
    assert tells_a_secret(PIN, Frame(PIN.id, asked="pin"), In("text", said))


@pytest.mark.parametrize("said", ["取消", "帮助", "/help 2026", "123", "王家沟桥头"])
def test_what_is_another_matter_is_not(said: str) -> None:
    assert not tells_a_secret(PIN, Frame(PIN.id, asked="pin"), In("text", said))
    assert not tells_a_secret(PIN, Frame(PIN.id, asked="then"), In("text", "482913"))
    assert not tells_a_secret(None, None, In("text", "482913"))


@given(st.text(max_size=60))
def test_masked_on_the_page_nothing_of_the_words_is_left(said: str) -> None:
    body = orjson.dumps({"id": "a", "kind": "text", "text": f"482913{said}", "secret": True})
    raw = Raw("web", "k", "web:1", orjson.dumps(read_body(body)), 1)
    kept = read_body(WebChat().masked(raw))
    assert kept["text"] == HIDDEN and kept["id"] == "a"
    assert own_message(1, 1, read_body(body), Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"])["text"] == HIDDEN


def test_masked_on_telegram_only_who_where_and_which_message_is_left() -> None:
    user, chat = {"id": 7, "first_name": "钱"}, {"id": 7, "type": "private"}
    message = {"message_id": 5, "from": user, "chat": chat, "date": 1, "text": "482913", "entities": [{"x": "482913"}]}
    for name in ("message", "edited_message"):
        masked = masked_update({"update_id": 9, name: message})
        assert "482913" not in repr(masked)
        arrival = arrival_of(masked, "bot")
        assert arrival.event.text == HIDDEN and arrival.ref == "5"


@pytest.mark.parametrize("json", [False, True])
def test_masked_in_wechat_the_push_is_still_the_same_push(json: bool) -> None:
    body = (
        b'{"ToUserName":"gh","FromUserName":"o1","CreateTime":1700000000,"MsgType":"text","Content":"482913","MsgId":77}'
        if json
        else b"<xml><ToUserName>gh</ToUserName><FromUserName>o1</FromUserName><CreateTime>1700000000</CreateTime>"
        b"<MsgType>text</MsgType><Content>482913</Content><MsgId>77</MsgId></xml>"
    )
    masked = masked_push(body)
    before, after = update_of(body), update_of(masked)
    assert b"482913" not in masked
    assert (before.key, before.address, before.created_ms) == (after.key, after.address, after.created_ms)
    assert wechat_arrival(after).event.text == HIDDEN
