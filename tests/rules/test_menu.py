"""The menu: at most eight buttons at a time, the role at work first, nothing out of reach."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.people.menu import BUTTONS_LARGEST, MENU, menu_rows, screens
from handlers.people.rules import EVERY_ROLE, may


@dataclass(frozen=True)
class Held:
    name: str
    area_id: int = 1


ROLES = st.lists(st.sampled_from(EVERY_ROLE).map(Held), max_size=4)


def commands(*roles: str, waiting: int = 0) -> list[str]:
    rows = menu_rows([Held(role) for role in roles], waiting)
    return [button.data for row in rows for button in row]


@given(ROLES, st.integers(0, 40))
def test_no_screen_has_more_than_eight_buttons_and_everything_is_on_one(roles: list[Held], waiting: int) -> None:
    levels = screens(roles, waiting)
    for level in range(len(levels)):
        assert sum(map(len, menu_rows(roles, waiting, level))) <= BUTTONS_LARGEST
    shown = [item.command for level in levels for item in level]
    assert len(shown) == len(set(shown))
    assert set(shown) == {item.command for item in MENU if may(roles, item.right)}


@given(ROLES, st.integers(0, 40))
def test_the_way_leads_down_to_the_last_screen_and_back(roles: list[Held], waiting: int) -> None:
    levels = screens(roles, waiting)
    for level in range(len(levels)):
        data = [button.data for row in menu_rows(roles, waiting, level) for button in row]
        assert any(one.startswith("/more") for one in data) == (level + 1 < len(levels))
        assert ("/help" in data) == (level > 0)
        assert "/todo" not in data or (waiting and level == 0)


@given(ROLES)
def test_a_report_is_always_one_tap_away(roles: list[Held]) -> None:
    assert "report" in [item.command for item in screens(roles)[0]]


@pytest.mark.parametrize(
    ("roles", "first"),
    [
        ((), ["/report", "/mycases"]),
        (("cleaner",), ["/weigh", "/tickets", "/cleanup"]),
        (("admin", "cleaner"), ["/weigh", "/tickets", "/cleanup"]),
        (("staff", "grid_keeper"), ["/cases"]),
        (("county_staff",), ["/townships", "/report"]),
    ],
)
def test_the_role_at_work_comes_first(roles: tuple[str, ...], first: list[str]) -> None:
    assert commands(*roles)[: len(first)] == first


def test_what_waits_comes_before_everything() -> None:
    assert commands("staff", waiting=3)[0] == "/todo"
    assert "/todo" not in commands("staff")


def test_a_level_that_is_not_there_is_the_last_one() -> None:
    assert menu_rows([], 0, 99) == menu_rows([], 0, len(screens([])) - 1)
    assert menu_rows([], 0, -1) == menu_rows([], 0)
