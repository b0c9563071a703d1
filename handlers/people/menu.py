"""The menu: what a person can do here, by their roles and by what waits for them; the rest a level below.

Also the answer to whatever was not understood. A screen has at most `BUTTONS_LARGEST` buttons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.talk.messages import Button, text
from handlers.people.rules import Held, may

BUTTONS_LARGEST = 8
COLUMNS = 2
MORE, BACK = "more", "help"
IN_GROUPS = ("rollcall", "who", "help")  # what may be asked where everybody reads it
CARD = "menu"  # its screens take each other's place
Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A command in the menu, for those who have the right to it. Its label is `menu.<command>`."""

    command: str
    right: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"


# Everything the menu can hold, in the order in which it comes when nothing else decides.
MENU: tuple[Item, ...] = (
    Item("weigh", "weigh_film", "primary"),
    Item("tickets", "weigh_film"),
    Item("cleanup", "report_cleanup", "primary"),
    Item("cases", "see_cases", "primary"),
    Item("rollcall", "see_rollcall"),
    Item("digest", "see_digest"),
    Item("townships", "see_county", "primary"),
    Item("claims", "confirm_household"),
    Item("looks", "see_looks"),
    Item("invite", "invite"),
    Item("roles", "manage_roles"),
    Item("report", style="primary"),
    Item("mycases"),
    Item("points"),
    Item("subsidies"),
    Item("me"),
    Item("who"),
    Item("household"),
    Item("proxy"),
    Item("reminders"),
    Item("link"),
    Item("privacy"),
    Item("erase"),
)
# What somebody at work reaches first, and the order of the roles: gloves on comes before the office.
AT_WORK: Mapping[str, Sequence[str]] = {
    "cleaner": ("weigh", "tickets", "cleanup"),
    "station_keeper": ("weigh", "tickets"),
    "grid_keeper": ("cases", "cleanup", "rollcall", "claims", "digest"),
    "staff": ("cases", "digest", "rollcall", "claims", "weigh", "invite"),
    "finance": ("digest",),
    "auditor": ("cases", "looks", "rollcall", "digest"),
    "county_staff": ("townships",),
    "admin": ("cases", "digest", "rollcall", "invite", "roles"),
}
FOR_EVERYBODY = ("report", "mycases", "points", "subsidies", "me", "who")
ALWAYS = "report"  # whoever works here is a villager, too


def first_items(roles: Iterable[Held]) -> list[Item]:
    """What belongs on the first screen, the role at work first; the whole order, however much has room."""
    held = tuple(roles)
    names = {role.name for role in held}
    work = [command for role, commands in AT_WORK.items() if role in names for command in commands]
    known = {item.command: item for item in MENU if may(held, item.right)}
    return [known[command] for command in dict.fromkeys((*work, *FOR_EVERYBODY)) if command in known]


def screens(roles: Iterable[Held], waiting: int = 0) -> list[list[Item]]:
    """The items of each screen of the menu, the first one's first.

    `waiting`: how much waits for the person; with something waiting the first screen keeps a place for it.
    """
    held = tuple(roles)
    first = first_items(held)
    room = BUTTONS_LARGEST - 1 - bool(waiting)
    shown = first[:room]
    always = next(item for item in first if item.command == ALWAYS)
    if always not in shown:
        shown = [*shown[:-1], always]
    possible = dict.fromkeys((*first, *(item for item in MENU if may(held, item.right))))
    rest = [item for item in possible if item not in shown]
    levels = [shown]
    while rest:
        here = BUTTONS_LARGEST - 1 if len(rest) <= BUTTONS_LARGEST - 1 else BUTTONS_LARGEST - 2
        levels.append(rest[:here])
        rest = rest[here:]
    return levels


def native_commands(roles: Iterable[Held]) -> tuple[str, ...]:
    """The commands that a platform's own menu offers somebody with these roles, the role at work first."""
    return (*(item.command for item in first_items(roles)), "help")


def menu_rows(roles: Iterable[Held], waiting: int = 0, level: int = 0) -> Rows:
    """The buttons of a screen of the menu, two in a row: what waits, what can be done, the way to the rest."""
    levels = screens(roles, waiting)
    at = min(max(level, 0), len(levels) - 1)
    buttons = [Button(text("menu.waiting", count=waiting), "/todo", "primary")] if waiting and not at else []
    buttons += [Button(text(f"menu.{item.command}"), f"/{item.command}", item.style) for item in levels[at]]
    if at + 1 < len(levels):
        buttons.append(Button(text("menu.more"), f"/{MORE} {at + 1}" if at else f"/{MORE}"))
    if at:
        buttons.append(Button(text("menu.back"), f"/{BACK}"))
    return tuple(tuple(buttons[start : start + COLUMNS]) for start in range(0, len(buttons), COLUMNS))
