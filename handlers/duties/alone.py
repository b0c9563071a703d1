"""One figure alone, «12人», on a day when nobody expects a report: what it is about is asked, and it is not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Choice, Form, FreeText
from bot.talk.messages import Say, text
from bot.turn import Intent
from handlers.duties import words
from handlers.duties.report import RIGHT, begun_by_line, expects_reports
from handlers.people.guide import menu
from handlers.people.rules import may
from handlers.world import Turn

FORM = "figure_for"
SAID_CHARS = 40


async def interpret(turn: Turn) -> Intent | None:
    """One figure of people, vehicles or volume and nothing else, by somebody who reports for a village."""
    event = turn.event
    said = event.text.strip()
    if event.kind != "text" or not may(turn.person.roles, RIGHT) or expects_reports(turn):
        return None
    if not words.is_one_figure(said):
        return None
    return Intent(form=FORM, answers={"said": said}, note=text("figure.alone", said=said))


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Go on with the village's report, or say what else can be said."""
    if answers["job"] == "cleanup":
        turn.open("cleanup", **await begun_by_line(turn, answers["said"]))
    else:
        turn.reply(Say(text("figure.other"), await menu(turn)))


FIGURE_FOR = Form(
    FORM,
    (FreeText(id="said", max_chars=SAID_CHARS), Choice(id="job", options=("cleanup", "other"))),
    submit,
    review=False,
)
