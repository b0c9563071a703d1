"""What a simulated person does next: one table of (what the bot shows → what the person does) per bot."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

ActionKind = Literal["text", "tap", "photo", "location"]


@dataclass(frozen=True, slots=True)
class Action:
    """`text` is the words to send, or the part of a label to press."""

    kind: ActionKind
    text: str = ""


@dataclass(slots=True)
class Person:
    """What a person remembers while talking: enough to answer the same question once."""

    photo_sent: bool = False
    turn: int = 0
    reports: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """Applies when the text and one label match their patterns (an absent pattern matches everything)."""

    act: Action
    text: str = ""
    label: str = ""
    when: Callable[[Person], bool] = field(default=lambda person: True)

    def fits(self, text: str, labels: Sequence[str], person: Person) -> bool:
        """Whether this rule answers the message."""
        if self.label and not any(re.search(self.label, label) for label in labels):
            return False
        return bool(not self.text or re.search(self.text, text)) and self.when(person)


START = Action("text", "/report")

# The report, in the order of what must win: a review also names the place and the kind.
REPORT = (
    Rule(START, text="编号"),
    Rule(Action("tap", "提交"), label="提交"),
    Rule(Action("tap", "完成"), label="完成", when=lambda person: person.photo_sent),
    Rule(Action("tap", "实名"), label="实名"),
    Rule(Action("tap", "倾倒"), label="倾倒"),
    Rule(Action("photo"), text="照片|拍", when=lambda person: not person.photo_sent),
    Rule(Action("location"), text="位置|地点|在哪|哪里"),
)

# Ours asks a new person for consent first, and says some things that ask for nothing: only what has buttons, or a
# case number, is answered.
OURS = (
    Rule(START, text="编号"),
    Rule(START, label="举报垃圾"),
    Rule(Action("tap", "同意"), label="^同意$"),
    Rule(Action("tap", "提交举报"), label="提交举报"),
    Rule(Action("tap", "发完了"), label="发完了"),
    Rule(Action("tap", "乱倒"), label="乱倒"),
    Rule(Action("location"), label="发送我的位置"),
    Rule(Action("photo"), label="跳过"),
)

# The bare loop has no product: the same seven kinds of update, in turn, whatever it says.
CYCLE = (
    START,
    Action("tap"),
    Action("photo"),
    Action("tap"),
    Action("location"),
    Action("tap"),
    Action("tap"),
)

TABLES: dict[str, tuple[Rule, ...]] = {"report": REPORT, "ours": OURS, "cycle": ()}


def decide(table: tuple[Rule, ...], person: Person, text: str, labels: Sequence[str]) -> Action | None:
    """The person's next action on seeing a message, or None when it asks for nothing.

    Remembers in `person` what was done.
    """
    if not table:
        person.turn += 1
        return CYCLE[person.turn % len(CYCLE)]
    for rule in table:
        if rule.fits(text, labels, person):
            _remember(person, rule.act)
            return rule.act
    return None


def _remember(person: Person, action: Action) -> None:
    person.turn += 1
    if action.kind == "photo":
        person.photo_sent = True
    elif action == START:
        person.photo_sent = False
        person.reports += 1
