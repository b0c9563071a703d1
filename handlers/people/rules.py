"""Who may do what where, and the other decisions about people. Pure.

`RIGHTS` is the one table of rights: each is named after what is done and lists the roles that may do it. Whoever
adds a right adds a text `right.<right>.who` («保洁员或镇上工作人员») that a refusal names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol

from bot.talk import letters

ROLES = ("cleaner", "station_keeper", "grid_keeper", "staff", "finance", "auditor", "admin")

# They reach beyond their holder's township: only the console gives them, and no role of a township stands for them.
COUNTY_ROLES = ("county_staff",)
EVERY_ROLE = (*ROLES, *COUNTY_ROLES)

# A role also has the rights of those it stands for (an admin those of everybody).
STANDS_FOR: Mapping[str, frozenset[str]] = {
    "staff": frozenset({"grid_keeper"}),
    "admin": frozenset(ROLES),
}

RIGHTS: Mapping[str, frozenset[str]] = {
    # people
    "invite": frozenset({"staff"}),
    "manage_roles": frozenset({"admin"}),
    "confirm_household": frozenset({"grid_keeper"}),
    # cases
    "verify_case": frozenset({"grid_keeper"}),
    "see_cases": frozenset({"grid_keeper", "auditor"}),
    "see_reporter": frozenset({"finance"}),
    "release_reward": frozenset({"finance"}),
    "confirm_disclosure": frozenset({"finance", "auditor"}),
    "see_looks": frozenset({"auditor"}),
    # film
    "weigh_film": frozenset({"cleaner", "station_keeper", "staff"}),
    "approve_weight": frozenset({"staff"}),
    "correct_film": frozenset({"staff"}),
    # points and subsidies
    "see_ledger": frozenset({"staff", "finance", "auditor"}),
    # duties and digests
    "report_cleanup": frozenset({"cleaner", "grid_keeper"}),
    "get_rollcall": frozenset({"staff"}),
    "see_rollcall": frozenset({"grid_keeper", "auditor"}),
    "see_digest": frozenset({"grid_keeper", "finance", "auditor"}),
    "ask_digest": frozenset({"grid_keeper", "finance", "auditor"}),
    "be_called": frozenset({"cleaner", "grid_keeper"}),
    # the house; whoever may decide something that waits sees what does
    "see_todo": frozenset({"grid_keeper"}),
}

# What county roles may, for every township of the county; they only look (`handlers/county`).
COUNTY_RIGHTS: Mapping[str, frozenset[str]] = {
    "see_county": frozenset({"county_staff"}),
    "ask_digest": frozenset({"county_staff"}),
}

# Which roles a role may hand out, within its own area.
GRANTS: Mapping[str, frozenset[str]] = {
    "staff": frozenset({"cleaner", "station_keeper", "grid_keeper"}),
    "admin": frozenset(ROLES),
}

# Who answers for a place when somebody asks, the nearest first; the office's inner roles are not asked about.
ANSWERABLE = ("cleaner", "grid_keeper", "station_keeper", "staff")

Covers = Callable[[int, int | None], bool]
InvitationState = Literal["good", "unknown", "withdrawn", "expired", "used", "yours"]
MAX_NAME_CHARS = 20
# A cleaner's first line after joining («张三 三十一斤半», «12人 3车») is work to be done, not a name.
_FIGURES = re.compile(r"[0-9]|[半一二两三四五六七八九十百千]\s*(?:斤|公斤|千克|吨|方|车|人|亩)")
LINK_CODE_DIGITS = 10
WRONG_CODES_AN_HOUR = 5
WRONG_CODES_IN_TOWN = 50  # within an hour: somebody is guessing


class Held(Protocol):
    """A role held for an area."""

    @property
    def name(self) -> str: ...

    @property
    def area_id(self) -> int: ...


class Fields(Protocol):
    """A row of a table, or a dict."""

    def __getitem__(self, key: Any, /) -> Any: ...


def roles_with(right: str) -> frozenset[str]:
    """The roles that may do something, those that stand for them included. Raises KeyError on an unknown right."""
    if right not in RIGHTS and right not in COUNTY_RIGHTS:
        raise KeyError(right)
    named, county = RIGHTS.get(right, frozenset()), COUNTY_RIGHTS.get(right, frozenset())
    return named | county | {role for role, others in STANDS_FOR.items() if others & named}


def named_for(right: str) -> frozenset[str]:
    """The roles whose own job a right is, without those that stand for them. Raises KeyError on an unknown right."""
    return RIGHTS[right]


def office_roles() -> tuple[str, ...]:
    """The roles that see other people's affairs: of their own job, or as those that stand for them."""
    found = frozenset[str]().union(*(roles_with(right) for right in ("see_cases", "see_ledger", "see_county")))
    return tuple(role for role in EVERY_ROLE if role in found)


def is_last_resort(role: str) -> bool:
    """Whether a role is asked to act only where nobody else can: an admin's."""
    return role == "admin"


def station_areas(roles: Iterable[Held]) -> list[int]:
    """The areas whose recycling stations somebody keeps; there they weigh for any village."""
    return [role.area_id for role in roles if role.name == "station_keeper"]


def may(roles: Iterable[Held], right: str, area_id: int | None = None, covers: Covers | None = None) -> bool:
    """Whether somebody with these roles may do `right`: anywhere, or at `area_id` when it is given.

    A role reaches its area and everything below it: `covers(outer, inner)` knows (`world.places.covers`); without
    it only the very same area counts. The right "" is everybody's.
    """
    if not right:
        return True
    allowed = roles_with(right)
    return any(role.name in allowed and _reaches(role.area_id, area_id, covers) for role in roles)


def may_grant(roles: Iterable[Held], role: str, area_id: int, covers: Covers | None = None) -> bool:
    """Whether somebody may give `role` for an area: an admin any, staff those who work in their area."""
    return any(role in GRANTS.get(held.name, frozenset()) and _reaches(held.area_id, area_id, covers) for held in roles)


def may_take(roles: Iterable[Held], role: str, area_id: int, covers: Covers | None = None) -> bool:
    """Whether somebody may take `role` back: what they may give, and an admin also what only the console gives."""
    held = tuple(roles)
    return may_grant(held, "admin" if role in COUNTY_ROLES else role, area_id, covers)


def grantable(roles: Iterable[Held]) -> tuple[str, ...]:
    """The roles that somebody may give somewhere, in the order of `ROLES`."""
    found = frozenset[str]().union(*(GRANTS.get(held.name, frozenset()) for held in roles))
    return tuple(role for role in ROLES if role in found)


def _reaches(outer: int, inner: int | None, covers: Covers | None) -> bool:
    if inner is None:
        return True
    return covers(outer, inner) if covers is not None else outer == inner


def invitation_state(row: Fields | None, kind: str, person_id: int, now_ms: int) -> InvitationState:
    """What an invitation (or a joining code) is worth to a person now.

    `row`: kind, expires_ms, withdrawn_ms, used_by, used_ms; None when no such token was ever given out.
    """
    if row is None or row["kind"] != kind:
        return "unknown"
    if row["used_ms"] is not None:
        return "yours" if row["used_by"] == person_id else "used"
    if row["withdrawn_ms"] is not None:
        return "withdrawn"
    return "expired" if now_ms >= row["expires_ms"] else "good"


def read_code(said: str) -> str | None:
    """The digits of a joining code as people type it («1234 5678», «１２３４-５６７８»), or None."""
    plain = "".join(one for one in unicodedata.normalize("NFKC", said) if not one.isspace() and one not in "-—.。")
    return plain if len(plain) == LINK_CODE_DIGITS and plain.isascii() and plain.isdigit() else None


def grouped(code: str) -> str:
    """A joining code as it is shown («1705 0801 23»)."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def tidy_name(said: str) -> str | None:
    """A name to call a person by, or None when it can't be one.

    It is made tidy; at least one letter must be seen, none may be lost, and it
    has at most `MAX_NAME_CHARS` characters.
    """
    shown = letters.tidy(said)
    if not letters.has_letter(shown) or letters.lost_letter(shown) is not None or len(shown) > MAX_NAME_CHARS:
        return None
    return None if _FIGURES.search(shown) else shown


def reminder_due_ms(row: Fields, now_ms: int) -> int | None:
    """When a reminder may reach a person: now, after their snooze, or (None) never."""
    return None if row["reminders_off"] else max(now_ms, row["snoozed_until_ms"])


def older(one: Fields, other: Fields) -> tuple[Fields, Fields]:
    """Two people's rows (id, created_ms) as (the one who has been here longer, the newer one)."""
    first, second = sorted((one, other), key=lambda row: (row["created_ms"], row["id"]))
    return first, second
