"""«怎么称呼您？» after a named report by somebody who gave no name: whoever pays the reward asks for them by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.talk.form import Option
from bot.talk.messages import text
from handlers.cases.opening import is_report
from handlers.people.profile import name_said, take_name
from handlers.world import Turn

LATER = "-"  # no name: one has a letter


async def later(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """The way out."""
    return (Option(LATER, text("reporter.button.later")),)


async def search_name(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """The name that words are; none when they are the next report."""
    wanted = name_said(turn, said)
    if wanted is None or is_report(turn, said):
        return ()
    return (Option(wanted, wanted, exact=False),)


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Take the name, or say where it can be given later."""
    chosen = str(answers["name"]["id"])
    if chosen == LATER:
        turn.reply(text("reporter.later"))
    else:
        await take_name(turn, chosen)
