"""What is decided about WeCom's groups: what somebody is known by there, and whom a letter calls. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from handlers.people.rules import Covers, Fields, is_last_resort, roles_with

RIGHT = "be_called"
# developer.work.weixin.qq.com, «userid»: 1 to 64 letters, digits and _-@. , the first a letter or a digit.
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_NUMBER = re.compile(r"[0-9]+")
_EVERYBODY = "all"


def read_name(said: str) -> str | None:
    """A user id or a mobile number as people write it («138 0000 0001», «+86-13800000001»), or None.

    «all» is everybody and nobody's id; a number that is no mobile number is a mistake rather than an id.
    """
    plain = "".join(unicodedata.normalize("NFKC", said).split())
    number = plain.removeprefix("+86").replace("-", "")
    if _NUMBER.fullmatch(number):
        return number if _MOBILE.fullmatch(number) else None
    return plain if _USER.fullmatch(plain) and plain.lower() != _EVERYBODY else None


@dataclass(frozen=True, slots=True)
class Matter:
    """Something at an area that waits for whoever may do `right` there; `below`: or in a part of it."""

    right: str
    area_id: int
    below: bool = False


def called(
    matters: Iterable[Matter], on_duty: Sequence[Fields], covers: Covers, depth: Callable[[int], int]
) -> tuple[str, ...]:
    """Whom a letter about these matters calls, each once: for every matter those nearest to it who can be called.

    `on_duty`: name, role, area_id of each. A village's keeper comes before the township's staff, who come before
    the admins.
    """
    found: dict[str, None] = {}
    for matter in dict.fromkeys(matters):
        roles, its_depth = roles_with(matter.right), depth(matter.area_id)
        there = [
            (min(depth(row["area_id"]), its_depth), row)
            for row in on_duty
            if row["role"] in roles
            and (covers(row["area_id"], matter.area_id) or (matter.below and covers(matter.area_id, row["area_id"])))
        ]
        there = [(near, row) for near, row in there if not is_last_resort(row["role"])] or there
        nearest = max((near for near, _ in there), default=0)
        found |= dict.fromkeys(row["name"] for near, row in there if near == nearest)
    return tuple(found)
