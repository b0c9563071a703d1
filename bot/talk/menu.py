"""A menu of the platform's own below a chat: how large it may be. What WeChat takes is the narrowest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Commands = tuple[tuple[str, str], ...]  # (command without its slash, what it is called)

COLUMNS, ROWS = 3, 5
NAME_WIDTHS = (4, 8)  # in 汉字, of the bar and of what opens from it


def width(name: str) -> float:
    """How wide a name is in 汉字; a letter or digit is half as wide."""
    return sum(0.5 if one.isascii() else 1 for one in name)


@dataclass(frozen=True, slots=True)
class NativeMenu:
    """The commands that a platform itself offers in every private chat or group. `language`: "" for any other."""

    scope: Literal["private", "group"]
    language: str
    commands: Commands
