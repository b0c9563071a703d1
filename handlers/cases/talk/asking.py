"""What is asked about reports, and said about one's own: how, what for, who hears of it, «咋还没人来»."""

from __future__ import annotations

from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from bot.talk.understanding.slots import Read
from bot.turn import Intent
from handlers.cases import opening, showing
from handlers.cases.notices import kind_text
from handlers.households.reporting import REPORT_FORM, begun
from handlers.understanding import which
from handlers.world import Turn


async def report(turn: Turn, read: Read) -> Intent | None:
    """The report, with the words as its statement and with the kind and the place that they name."""
    return Intent(form=REPORT_FORM, answers=await begun(turn, **await opening.told(turn, turn.event.text.strip())))


async def urge(turn: Turn, read: Read) -> Intent | None:
    """One's own reports with their states; then whether what is still there is to be reported once more."""
    await showing.my_cases(turn, "")
    return which(turn.event.text.strip(), "urge", ("report",))


async def collection(turn: Turn, read: Read) -> Intent | None:
    """When rubbish is collected is the villages' own matter; whether it was not can be reported."""
    return which(turn.event.text.strip(), "collection", ("report", "who"))


async def how(turn: Turn, read: Read) -> Intent | None:
    """How to report, in three lines."""
    turn.reply(Say(text("ask.how_report"), _report_button()))
    return None


async def reward(turn: Turn, read: Read) -> Intent | None:
    """What a report gives, of each kind, by the policy in force and with its name."""
    policy = turn.world.policy
    lines: list[Words] = [text("ask.reward")]
    lines += [text("ask.reward.kind", kind=kind_text(str(one.id)), points=one.points) for one in policy.report.kinds]
    lines.append(_source(turn))
    turn.reply(Say(on_lines(lines), _report_button()))
    return None


def _source(turn: Turn) -> Text:
    policy = turn.world.policy
    return text("ask.source", title=policy.title.in_language(turn.person.language), basis=policy.basis)


def _report_button() -> tuple[tuple[Button, ...], ...]:
    return ((Button(text("menu.report"), "/report", "primary"),),)
