"""What is decided about cases. Pure: states (D8), points held until the decision (D47), places near each other."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, floor, radians

from bot.talk.spans import DAY_MS, HOUR_MS, MINUTE_MS
from handlers.numbers import CASES
from storage.product import accounts

AFTER: Mapping[str, frozenset[str]] = {
    "registered": frozenset({"verified", "rejected", "duplicate"}),
    "verified": frozenset({"assigned"}),
    "assigned": frozenset({"rectifying", "returned", "extended"}),
    "rectifying": frozenset({"awaiting_acceptance", "returned", "extended"}),
    "extended": frozenset({"rectifying", "awaiting_acceptance", "returned"}),
    "returned": frozenset({"assigned"}),
    "awaiting_acceptance": frozenset({"closed", "rectifying"}),
    "closed": frozenset({"relapsed"}),
    "relapsed": frozenset({"assigned"}),
    "rejected": frozenset(),
    "duplicate": frozenset(),
}
DECISIONS = ("verified", "rejected", "duplicate")
# What became of a reward: the minute of it would tell who reported.
REWARDED = frozenset({"claimed", "claim_expired"})

CODE_DIGITS, EARLIER_DIGITS = 16, 6
WRONG_CODES_LARGEST = 5
LOCK_MS = HOUR_MS
CASE_WRONG_CODES_LARGEST = 20

CELL_DEGREES = 0.002
METRES_PER_DEGREE = 111_195.0
CELLS_LARGEST = 400
SAME_SPOT_M = 30  # nearer than this, a phone can not tell two spots apart

_FULL_NUMBER = re.compile(r"(?<![A-Za-z0-9-])20[0-9]{2}-[0-9]{4,6}(?![0-9-])")
_LABELLED_CODE = re.compile(
    r"(?:领奖码|兑奖码|code)\s*[:is]*\s*(?P<code>(?:[0-9]{4}[ -]?){3}[0-9]{4}|[0-9]{3}[ -]?[0-9]{3})(?![0-9])",
    re.IGNORECASE,
)
_NOT_A_NUMBER = re.compile(r"[^0-9-]+")
_CODE = re.compile(r"[0-9]{16}|[0-9]{6}")
_SPOKEN = str.maketrans("零〇幺一二两三四五六七八九", "0011223456789")
_CORRECTS = re.compile(r"(?:地点|地方|位置|村|place).{0,4}(?:不对|错|不是|wrong)|^(?:不对|错了|不是)", re.IGNORECASE)
_PROBLEMS = ("垃圾", "脏", "臭", "污染", "没人管", "没人扫")
_ACCUSING = ("有人", "举报", "偷", "乱")


def follows(state: str, event: str) -> bool:
    """Whether a case in `state` may become `event`'s state (D8: nothing skips its check)."""
    return event in AFTER[state]


def was_verified(state: str) -> bool:
    """Whether a case in `state` was found true (all that is neither undecided nor refused)."""
    return state not in ("registered", "rejected", "duplicate")


@dataclass(frozen=True, slots=True)
class Move:
    """Where points go at one step of a case; `key` makes it happen once."""

    source: str
    destination: str
    reason: str
    key: str


def promise(case_id: int) -> Move:
    """At the tip-off: the programme sets points aside."""
    return Move(accounts.REPORTS, accounts.held(case_id), "report_pending", f"case:{case_id}:promise")


def settle(case_id: int, event: str, *, by_code: bool) -> Move:
    """At the decision: verified points are granted to the reporter, or wait for the code; all others go back."""
    key = f"case:{case_id}:settle"
    if event == "verified":
        destination = accounts.claimable(case_id) if by_code else accounts.granted(case_id)
        return Move(accounts.held(case_id), destination, "report_verified", key)
    return Move(accounts.held(case_id), accounts.REPORTS, f"report_{event}", key)


def move_again(step: Move, case_id: int, where: str, event_id: int) -> Move:
    """A step of a case that is decided anew: from where its points went, back to the programme or to whose they are."""
    return Move(where, step.destination, f"{step.reason}_anew", f"case:{case_id}:settle:{event_id}")


def claim(case_id: int) -> Move:
    """The code was brought in time."""
    return Move(accounts.claimable(case_id), accounts.granted(case_id), "report_claimed", f"case:{case_id}:claim")


def expire(case_id: int) -> Move:
    """Nobody claimed in time: back to the programme (D47, after 龙塘镇: forfeited)."""
    return Move(accounts.claimable(case_id), accounts.REPORTS, "report_claim_expired", f"case:{case_id}:expire")


def points_promised(kind_points: int, already_today: int, largest_a_day: int) -> int:
    """A kind's points, cut to what the person may still earn that day."""
    return max(0, min(kind_points, largest_a_day - already_today))


def late_ms(received_ms: int, verify_hours: int, waiting_too_long_hours: int) -> int:
    """From when an undecided case counts as waiting too long: whichever limit comes first."""
    return received_ms + min(verify_hours, waiting_too_long_hours) * HOUR_MS


def read_claim(said: str, this_year: int) -> tuple[str, str] | None:
    """«2026-0113 1234 5678 9012 3456» as (number, code): the code may be grouped, dictated («一二三四…») or one of the
    six digits of before, both may stand behind their labels or in a whole receipt («编号 2026-0113：… 领奖码 1234
    5678 9012 3456（…»). None when there is not one of each.
    """
    plain = unicodedata.normalize("NFKC", said)
    labelled = _LABELLED_CODE.search(plain)
    if labelled is not None:
        rest = f"{plain[: labelled.start()]} {plain[labelled.end() :]}"
        numbers = {*_FULL_NUMBER.findall(rest)} or {_NOT_A_NUMBER.sub("", rest)}
        number = CASES.read(numbers.pop(), this_year) if len(numbers) == 1 else None
        return (number, re.sub(r"[ -]", "", labelled["code"])) if number else None
    head, _, tail = " ".join(plain.replace(",", " ").replace("编号", " ").split()).partition(" ")
    number = CASES.read(head, this_year)
    code = re.sub(r"[\s-]", "", tail).translate(_SPOKEN)
    return (number, code) if number and _CODE.fullmatch(code) else None


def grouped(code: str) -> str:
    """A code as it is shown: «1234 5678 9012 3456»."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def can_be_guessed(code: str) -> bool:
    """Whether it is one of the six digits of before, which only a limit for all tries protects."""
    return len(code) == EARLIER_DIGITS


def hash_code(salt: str, code: str) -> str:
    """What is kept of a claim code."""
    return hashlib.sha256(f"{salt}\x1f{code}".encode()).hexdigest()


def locked_until_ms(tries_ms: Sequence[int], now_ms: int, largest: int = WRONG_CODES_LARGEST) -> int:
    """Until when wrong codes shut someone out: an hour after the `largest`-th within an hour; 0 when they don't.

    `tries_ms` are the moments of wrong codes of the last two hours, in any order.
    """
    tries = sorted(tries_ms)
    locks = [
        last + LOCK_MS
        for first, last in zip(tries, tries[largest - 1 :], strict=False)
        if last - first < HOUR_MS and last + LOCK_MS > now_ms
    ]
    return max(locks, default=0)


def tries_left(tries_ms: Sequence[int], now_ms: int) -> int:
    """How many more wrong codes the hour allows."""
    return max(0, WRONG_CODES_LARGEST - sum(now_ms - at < HOUR_MS for at in tries_ms))


def cell_of(lat: float, lng: float) -> int:
    """The square of about 200 m that a point lies in, as one number."""
    return floor(lat / CELL_DEGREES) * 1_000_000 + floor(lng / CELL_DEGREES)


def degrees_for(metres: float, lat: float) -> tuple[float, float]:
    """How many degrees of latitude and of longitude a distance is at that latitude."""
    up = metres / METRES_PER_DEGREE
    return up, up / max(0.01, cos(radians(lat)))


def cells_near(lat: float, lng: float, metres: float) -> tuple[int, ...]:
    """The squares that a circle around a point touches; () when they are too many to name."""
    up, across = degrees_for(metres, lat)
    rows = range(floor((lat - up) / CELL_DEGREES), floor((lat + up) / CELL_DEGREES) + 1)
    columns = range(floor((lng - across) / CELL_DEGREES), floor((lng + across) / CELL_DEGREES) + 1)
    if len(rows) * len(columns) > CELLS_LARGEST:
        return ()
    return tuple(row * 1_000_000 + column for row in rows for column in columns)


def ago(passed_ms: int) -> tuple[str, int]:
    """How long ago something was, as people say it: the unit (now, minutes, hours, days) and how many."""
    if passed_ms < MINUTE_MS:
        return "now", 0
    for unit, span_ms in (("days", DAY_MS), ("hours", HOUR_MS)):
        if passed_ms >= span_ms:
            return unit, passed_ms // span_ms
    return "minutes", passed_ms // MINUTE_MS


def corrects_a_place(said: str) -> bool:
    """Whether words say that a place is wrong («地点不对，是王家沟»)."""
    return bool(_CORRECTS.search(said))


Receipt = tuple[int, int]  # when a report was received (ms), and its id, which decides within one millisecond


def refuse_duplicate(case: Receipt, original: Receipt, original_state: str) -> str:
    """Why a case can't be called a duplicate of another: a problem code, or "" (D47: the first report counts)."""
    if case == original:
        return "duplicate_of_itself"
    if original_state == "rejected":
        return "original_rejected"
    return "original_is_later" if original > case else ""
