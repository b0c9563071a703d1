"""Who may do what where, invitations, codes, names and reminders: the rules of people."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.spans import HOUR_MS
from handlers.people.rules import (
    GRANTS,
    LINK_CODE_DIGITS,
    MAX_NAME_CHARS,
    RIGHTS,
    ROLES,
    grantable,
    invitation_state,
    may,
    may_grant,
    older,
    read_code,
    reminder_due_ms,
    roles_with,
    tidy_name,
)

TOWN, VILLAGE, HAMLET, OTHER = 1, 2, 3, 9
PARENT = {VILLAGE: TOWN, HAMLET: VILLAGE, OTHER: TOWN}


@dataclass(frozen=True)
class Held:
    name: str
    area_id: int


def covers(outer: int, inner: int | None) -> bool:
    while inner is not None:
        if inner == outer:
            return True
        inner = PARENT.get(inner)
    return False


held = st.builds(Held, st.sampled_from(ROLES), st.sampled_from([TOWN, VILLAGE, HAMLET, OTHER]))
areas = st.sampled_from([TOWN, VILLAGE, HAMLET, OTHER])
rights = st.sampled_from(sorted(RIGHTS))


def test_every_right_names_known_roles() -> None:
    assert all(named and named <= set(ROLES) for named in RIGHTS.values())
    assert all(role in ROLES and given_out <= set(ROLES) for role, given_out in GRANTS.items())


@pytest.mark.parametrize(
    ("role", "right", "allowed"),
    [
        ("cleaner", "weigh_film", True),
        ("cleaner", "verify_case", False),
        ("cleaner", "approve_weight", False),
        ("station_keeper", "weigh_film", True),
        ("grid_keeper", "confirm_household", True),
        ("grid_keeper", "weigh_film", False),
        ("grid_keeper", "verify_case", True),
        ("staff", "confirm_household", True),
        ("staff", "verify_case", True),
        ("staff", "manage_roles", False),
        ("finance", "see_reporter", True),
        ("finance", "verify_case", False),
        ("staff", "see_reporter", False),
        ("auditor", "see_ledger", True),
        ("auditor", "correct_film", False),
        ("admin", "manage_roles", True),
        ("admin", "see_reporter", True),
    ],
)
def test_rights_table(role: str, right: str, allowed: bool) -> None:
    assert may([Held(role, TOWN)], right) is allowed


def test_a_right_reaches_its_area_and_what_lies_below_it() -> None:
    cleaner = [Held("cleaner", VILLAGE)]
    assert may(cleaner, "weigh_film", VILLAGE, covers)
    assert may(cleaner, "weigh_film", HAMLET, covers)
    assert not may(cleaner, "weigh_film", OTHER, covers)
    assert not may(cleaner, "weigh_film", TOWN, covers)
    assert may(cleaner, "weigh_film", VILLAGE) and not may(cleaner, "weigh_film", HAMLET)


def test_everybody_has_the_empty_right_and_nobody_an_unknown_one() -> None:
    assert may([], "")
    with pytest.raises(KeyError):
        may([Held("admin", TOWN)], "fly")


@given(st.lists(held, max_size=4), rights, areas)
def test_more_roles_never_take_a_right_away(roles: list[Held], right: str, area: int) -> None:
    for upto in range(len(roles)):
        if may(roles[:upto], right, area, covers):
            assert may(roles, right, area, covers)


@given(rights, areas, areas)
def test_an_admin_may_everything_within_the_area_and_nothing_outside(right: str, own: int, area: int) -> None:
    assert may([Held("admin", own)], right, area, covers) is covers(own, area)


@given(held, rights, areas)
def test_staff_may_what_grid_keepers_may(one: Held, right: str, area: int) -> None:
    if "grid_keeper" in roles_with(right):
        assert may([Held("staff", one.area_id)], right, area, covers) is covers(one.area_id, area)


@given(held, st.sampled_from(ROLES), areas)
def test_nobody_hands_out_a_role_beyond_their_area_or_rank(one: Held, role: str, area: int) -> None:
    allowed = may_grant([one], role, area, covers)
    assert allowed is (covers(one.area_id, area) and role in GRANTS.get(one.name, ()))
    if allowed and one.name != "admin":
        assert role not in ("admin", "staff", "finance", "auditor")
    assert not allowed or role in grantable([one])


def test_who_may_invite_whom() -> None:
    assert grantable([Held("admin", TOWN)]) == ROLES
    assert grantable([Held("staff", VILLAGE)]) == ("cleaner", "station_keeper", "grid_keeper")
    assert grantable([Held("cleaner", VILLAGE), Held("grid_keeper", TOWN), Held("finance", TOWN)]) == ()


def invitation(**changed: object) -> dict[str, object]:
    row = {"kind": "role", "expires_ms": 100, "withdrawn_ms": None, "used_by": None, "used_ms": None}
    return {**row, **changed}


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (None, "unknown"),
        (invitation(kind="link"), "unknown"),
        (invitation(), "good"),
        (invitation(expires_ms=50), "expired"),
        (invitation(expires_ms=51), "good"),
        (invitation(used_by=7, used_ms=10), "yours"),
        (invitation(used_by=8, used_ms=10), "used"),
        (invitation(used_by=8, used_ms=10, expires_ms=20), "used"),
        (invitation(withdrawn_ms=10), "withdrawn"),
    ],
)
def test_what_an_invitation_is_worth(row: dict[str, object] | None, state: str) -> None:
    assert invitation_state(row, "role", 7, 50) == state


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("1234567890", "1234567890"),
        (" 1234 5678 90 ", "1234567890"),
        ("１２３４-５６７８-９０", "1234567890"),
        ("12345678", None),
        ("13800000001", None),
        ("abcdefghij", None),
        ("", None),
        ("١٢٣٤٥٦٧٨٩٠", None),
    ],
)
def test_codes_as_people_type_them(said: str, code: str | None) -> None:
    assert read_code(said) == code


@given(st.text(max_size=40))
def test_a_code_is_always_plain_digits(said: str) -> None:
    code = read_code(said)
    assert code is None or (len(code) == LINK_CODE_DIGITS and set(code) <= set("0123456789"))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("王大娘", "王大娘"),
        ("  李  师傅 ", "李 师傅"),
        ("王\u202e大\u0000娘", "王大娘"),
        ("Ｔｏｍ", "Tom"),
        ("12345", None),
        ("😀😀", None),
        ("王" * (MAX_NAME_CHARS + 1), None),
        ("", None),
    ],
)
def test_names(said: str, name: str | None) -> None:
    assert tidy_name(said) == name


@given(st.text(max_size=60))
def test_a_name_can_be_named_again(said: str) -> None:
    name = tidy_name(said)
    if name is not None:
        assert tidy_name(name) == name
        assert 0 < len(name) <= MAX_NAME_CHARS
        assert all(one.isprintable() or unicodedata.category(one) == "Cn" for one in name)  # letters newer than Python


def test_reminders_wait_for_a_snooze_and_end_with_an_opt_out() -> None:
    row = {"reminders_off": 0, "snoozed_until_ms": 0}
    assert reminder_due_ms(row, 5) == 5
    row = {"reminders_off": 0, "snoozed_until_ms": HOUR_MS}
    assert reminder_due_ms(row, 5) == HOUR_MS
    assert reminder_due_ms(row, 2 * HOUR_MS) == 2 * HOUR_MS
    row = {"reminders_off": 1, "snoozed_until_ms": 0}
    assert reminder_due_ms(row, 5) is None


def test_the_older_person_stays() -> None:
    first, second = {"id": 5, "created_ms": 10}, {"id": 4, "created_ms": 11}
    assert older(second, first) == (first, second) == older(first, second)
    assert older({"id": 2, "created_ms": 1}, {"id": 1, "created_ms": 1})[0]["id"] == 1
