"""What WeChat's and WeCom's error codes mean for us. Both answer most errors with HTTP 200 and an `errcode`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.errors import GiveUp, RetryLater

SECOND_MS = 1_000
MINUTE_MS = 60_000
OPERATOR_MS = 10 * MINUTE_MS
TOKEN_CODES = (40001, 40014, 42001)
MAX_REASON_CHARS = 120


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code is called and what follows: `after_ms` try again (`everyone`: the whole channel waits), else never;
    `unreachable` nothing more goes to that person; `closed` it has to wait until they write; `operator` somebody who
    runs the program must do something.
    """

    name: str
    after_ms: int = 0
    everyone: bool = False
    unreachable: bool = False
    closed: bool = False
    operator: bool = False


WECHAT = {
    -1: Meaning("busy", SECOND_MS),
    **dict.fromkeys(TOKEN_CODES, Meaning("token_refused", MINUTE_MS, everyone=True, operator=True)),
    40002: Meaning("wrong_credentials", OPERATOR_MS, everyone=True, operator=True),
    40003: Meaning("no_such_openid", unreachable=True),
    40007: Meaning("media_gone"),
    40013: Meaning("wrong_app_id", OPERATOR_MS, everyone=True, operator=True),
    40029: Meaning("code_refused"),
    40037: Meaning("template"),
    40125: Meaning("wrong_secret", OPERATOR_MS, everyone=True, operator=True),
    40163: Meaning("code_used"),
    40164: Meaning("address_not_listed", OPERATOR_MS, everyone=True, operator=True),
    41002: Meaning("wrong_app_id", OPERATOR_MS, everyone=True, operator=True),
    41004: Meaning("wrong_secret", OPERATOR_MS, everyone=True, operator=True),
    43004: Meaning("not_following", unreachable=True),
    43101: Meaning("notice_refused"),
    45002: Meaning("too_long"),
    45009: Meaning("quota", OPERATOR_MS, everyone=True),
    45011: Meaning("too_often", MINUTE_MS, everyone=True),
    45015: Meaning("window_closed", unreachable=True, closed=True),
    45047: Meaning("count_used", closed=True),
    47003: Meaning("template"),
    48001: Meaning("no_permission", closed=True, operator=True),
    48002: Meaning("blocked", unreachable=True),
    50002: Meaning("account_limited", OPERATOR_MS, everyone=True, operator=True),
}

WECOM = {
    -1: Meaning("busy", SECOND_MS),
    40007: Meaning("media_gone"),
    45009: Meaning("too_often", MINUTE_MS),
    45033: Meaning("too_often", SECOND_MS),
    93000: Meaning("no_such_robot", unreachable=True, operator=True),
}


class ErrorCode(Exception):
    """An `errcode` in an answer, as it came. `reason` is the far side's text, for logs: it holds no secret of ours."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class WindowClosed(GiveUp):
    """Nothing may be sent to the person until they write (45015, 45047). To be kept for then: `send` returns False."""


def check_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, unless it is a refusal; raises ErrorCode."""
    code = answer.get("errcode", 0)
    if code == 0:
        return answer
    number = code if isinstance(code, int) else -1
    raise ErrorCode(number, str(answer.get("errmsg", ""))[:MAX_REASON_CHARS])


def failure_of(refusal: ErrorCode, table: dict[int, Meaning] = WECHAT) -> RetryLater | GiveUp:
    """The house's error for a refusal; a code that is not in the table is given up with its number."""
    meaning = table.get(refusal.code)
    if meaning is None:
        return GiveUp(f"errcode {refusal.code}: {refusal.reason}")
    if meaning.after_ms:
        return RetryLater(meaning.after_ms, meaning.name, everyone=meaning.everyone)
    kind = WindowClosed if meaning.closed else GiveUp
    return kind(meaning.name, unreachable=meaning.unreachable)


def fault_of(refusal: ErrorCode, table: dict[int, Meaning] = WECHAT) -> str:
    """What the operator must look into: the code's name, or "" when it is no matter of theirs."""
    meaning = table.get(refusal.code)
    return meaning.name if meaning is not None and meaning.operator else ""
