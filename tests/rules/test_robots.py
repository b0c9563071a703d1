"""By what somebody is called in a WeCom group, and whom a letter calls."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.people.rules import ROLES
from handlers.robots.rules import Matter, called, read_name

TOWN, VILLAGE, HAMLET, OTHER = 1, 2, 3, 9
PARENT = {VILLAGE: TOWN, HAMLET: VILLAGE, OTHER: TOWN}
DEPTH = {TOWN: 0, VILLAGE: 1, HAMLET: 2, OTHER: 1}
STAFF, KEEPER, CLEANER, ADMIN = "staff", "grid_keeper", "cleaner", "admin"


def covers(outer: int, inner: int | None) -> bool:
    while inner is not None:
        if inner == outer:
            return True
        inner = PARENT.get(inner)
    return False


def on_duty(*rows: tuple[str, str, int]) -> list[dict[str, object]]:
    return [{"name": name, "role": role, "area_id": area_id} for name, role, area_id in rows]


def whom(matters: list[Matter], *rows: tuple[str, str, int]) -> tuple[str, ...]:
    return called(matters, on_duty(*rows), covers, DEPTH.__getitem__)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("13800010001", "13800010001"),
        ("１３８-０００１ ０００１", "13800010001"),
        ("+86 138 0001 0001", "13800010001"),
        ("zhangsan", "zhangsan"),
        ("ZhangSan.01@qinghe_town-a", "ZhangSan.01@qinghe_town-a"),
        ("12345", None),
        ("12345678901", None),
        ("all", None),
        ("ALL", None),
        ("@all", None),
        ("张三", None),
        ("zhang>san", None),
        ("", None),
        ("a" * 65, None),
    ],
)
def test_a_name_is_a_mobile_number_or_a_user_id(said: str, name: str | None) -> None:
    assert read_name(said) == name


@given(st.text(max_size=80))
def test_whatever_is_said_a_name_marks_up_nothing_and_calls_one(said: str) -> None:
    name = read_name(said)
    assert name is None or re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", name)
    assert name is None or (name.lower() != "all" and read_name(name) == name)


def test_the_nearest_who_may_do_something_are_called() -> None:
    case = [Matter("verify_case", HAMLET)]
    everybody = (("s", STAFF, TOWN), ("k", KEEPER, VILLAGE), ("o", KEEPER, OTHER), ("c", CLEANER, VILLAGE))
    assert whom(case, *everybody) == ("k",)
    assert whom(case, ("s", STAFF, TOWN), ("o", KEEPER, OTHER), ("a", ADMIN, VILLAGE)) == ("s",)
    assert whom(case, ("a", ADMIN, TOWN)) == ("a",)
    assert whom(case, ("c", CLEANER, VILLAGE)) == ()
    assert whom([Matter("approve_weight", VILLAGE)], *everybody) == ("s",)


def test_who_works_in_a_part_of_the_village_answers_for_its_clean_up_and_not_for_its_cases() -> None:
    rows = (("h", CLEANER, HAMLET), ("k", KEEPER, VILLAGE), ("s", STAFF, TOWN))
    assert whom([Matter("report_cleanup", VILLAGE, below=True)], *rows) == ("h", "k")
    assert whom([Matter("verify_case", VILLAGE)], ("h", KEEPER, HAMLET), ("s", STAFF, TOWN)) == ("s",)


@given(
    st.lists(st.builds(Matter, st.sampled_from(["verify_case", "report_cleanup"]), st.sampled_from(list(DEPTH)))),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(ROLES), st.sampled_from(list(DEPTH))), max_size=8),
)
def test_nobody_is_called_twice_or_for_what_is_not_theirs(
    matters: list[Matter], rows: list[tuple[str, str, int]]
) -> None:
    found = whom(matters, *rows)
    assert len(set(found)) == len(found)
    for name in found:
        assert any(covers(area_id, matter.area_id) for matter in matters for who, _, area_id in rows if who == name), (
            name
        )
    assert whom(matters + matters, *rows) == found
