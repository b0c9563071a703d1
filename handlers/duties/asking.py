"""What is said about the weekly clean-up in free words: a village's report told in a sentence, and when it is."""

from __future__ import annotations

from datetime import timedelta

from bot.talk.messages import Button, Say, text
from bot.talk.understanding.slots import Read
from bot.turn import Intent
from handlers.duties import report
from handlers.duties.week import LOOK_DAYS, cleanup_on
from handlers.people.rules import may
from handlers.world import Turn


async def cleanup(turn: Turn, read: Read) -> Intent | None:
    """The report of one's village, with the figures, the day and the place that were said."""
    return await report.from_words(turn, turn.event.text.strip())


async def when(turn: Turn, read: Read) -> Intent | None:
    """The next clean-up and until when villages report, by the policy and the working calendar."""
    world = turn.world
    today = world.day(turn.now_ms)
    days = (cleanup_on(world, today + timedelta(days=ahead)) for ahead in range(LOOK_DAYS))
    found = next((day for day in days if day is not None and day.until_ms > turn.now_ms), None)
    if found is None:
        turn.reply(text("ask.friday.none"))
        return None
    source = world.policy.title.in_language(turn.person.language)
    said = text("ask.friday", from_ms=found.from_ms, until_ms=found.until_ms, title=source)
    rows = ((Button(text("menu.cleanup"), "/cleanup"),),) if may(turn.person.roles, report.RIGHT) else ()
    turn.reply(Say(said, rows))
    return None
