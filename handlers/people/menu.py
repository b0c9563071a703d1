"""The menu: what a person can do here, by their roles; also the answer to whatever was not understood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.talk.messages import Button, text
from handlers.people.rules import Held, may


@dataclass(frozen=True, slots=True)
class Item:
    """A command in the menu, for those who have the right to it. Its label is `menu.<command>`."""

    command: str
    right: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"


# First what somebody with a duty does every day, then what everybody may do.
MENU: tuple[Item, ...] = (
    Item("weigh", "weigh_film", "primary"),
    Item("tickets", "weigh_film"),
    Item("cases", "see_cases", "primary"),
    Item("cleanup", "report_cleanup", "primary"),
    Item("rollcall", "see_rollcall"),
    Item("digest", "see_digest"),
    Item("townships", "see_county", "primary"),
    Item("claims", "confirm_household"),
    Item("invite", "invite"),
    Item("roles", "manage_roles"),
    Item("report", style="primary"),
    Item("mycases"),
    Item("points"),
    Item("subsidies"),
    Item("me"),
    Item("who"),
)
COLUMNS = 2
Rows = tuple[tuple[Button, ...], ...]


def menu_rows(roles: Iterable[Held]) -> Rows:
    """The buttons of the menu for somebody with these roles, two in a row."""
    held = tuple(roles)
    buttons = [
        Button(text(f"menu.{item.command}"), f"/{item.command}", item.style) for item in MENU if may(held, item.right)
    ]
    return tuple(tuple(buttons[at : at + COLUMNS]) for at in range(0, len(buttons), COLUMNS))
