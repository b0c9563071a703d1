"""The menu below the chat of an Official Account, as the policy sets it. In one language: WeChat shows all the same."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.talk.menu import COLUMNS, NAME_WIDTHS, ROWS, width
from handlers.policy.fields import Many, Table, fault

# What an entry may do: commands that need no words after them. Stored policies name them, so none may go.
MenuCommand = Literal[
    "help", "report", "mycases", "cases", "points", "subsidies", "me", "household", "proxy", "object", "who", "claims",
    "weigh", "tickets", "cleanup", "rollcall", "friday", "digest", "townships", "reminders", "link", "privacy",
    "todo",
]  # fmt: skip
Does = Literal["command", "page", "camera", "news", "opens"]


class MenuItem(Table):
    """What opens from the bar: a `command` is done, the `page` opens (the web chat, signed in), the `camera`, or the
    `news` come that could not be sent.
    """

    WIDEST: ClassVar = NAME_WIDTHS[1]

    name: str
    command: MenuCommand | None = None
    page: bool = False
    camera: bool = False
    news: bool = False

    @property
    def does(self) -> tuple[Does, ...]:
        """What it does: one thing, if the policy is right."""
        found: list[tuple[Does, bool]] = [
            ("command", self.command is not None), ("page", self.page), ("camera", self.camera), ("news", self.news),
        ]  # fmt: skip
        return tuple(kind for kind, is_said in found if is_said)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if len(self.does) != 1:
            raise fault("policy_menu_does", name=self.name)
        if not self.name.strip() or not self.name.isprintable() or width(self.name) > self.WIDEST:
            raise fault("policy_menu_name", name=self.name, limit=self.WIDEST)
        return self


class MenuEntry(MenuItem):
    """An entry of the bar: it does something itself, or `items` open from it."""

    WIDEST: ClassVar = NAME_WIDTHS[0]

    items: Annotated[Many[MenuItem], Field(max_length=ROWS)] = ()

    @property
    def does(self) -> tuple[Does, ...]:
        """The same, and `opens`."""
        return (*super().does, "opens") if self.items else super().does


def _some(entries: tuple[MenuEntry, ...]) -> tuple[MenuEntry, ...]:
    if not entries:
        raise fault("policy_empty", key="wechat_menu")
    return entries


# For a township whose policy says nothing of it.
USUAL = (
    MenuEntry(name="拍照举报", camera=True),
    MenuEntry(
        name="我的",
        items=(
            MenuItem(name="我的举报", command="mycases"),
            MenuItem(name="我的积分", command="points"),
            MenuItem(name="我的补贴", command="subsidies"),
            MenuItem(name="绑定我家", command="household"),
            MenuItem(name="我的信息", command="me"),
        ),
    ),
    MenuEntry(
        name="更多",
        items=(
            MenuItem(name="看消息", news=True),
            MenuItem(name="不拍照也能举报", command="report"),
            MenuItem(name="谁负责", command="who"),
            MenuItem(name="打开网页", page=True),
            MenuItem(name="全部功能", command="help"),
        ),
    ),
)
Bar = Annotated[Many[MenuEntry], Field(max_length=COLUMNS), AfterValidator(_some)]
