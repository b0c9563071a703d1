"""«您是要…？»: words that may be several things, with at most three buttons. The words are kept, and go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.talk.form import Answers, Choice, Form, FreeText, Option
from bot.talk.messages import Say, Text, text
from bot.talk.understanding.slots import read
from handlers.people.guide import menu
from handlers.people.rules import may
from handlers.understanding import MEANT, readers_of
from handlers.world import Turn

NONE_OF_THEM = "none"
WORDS_LARGEST = 4_000


def _asked(answers: Answers) -> Text:
    """How it is asked: by why, with the words as they were said."""
    return text(f"form.meant.job.ask.{answers['why']}|form.meant.job.ask", words=str(answers["words"])[:60])


async def _may_be(turn: Turn, answers: Answers) -> Sequence[Option]:
    """What the words may be, and «none of these»."""
    sayings = turn.world.declared.sayings
    open_to = [one for one in answers["may_be"] if one in sayings and may(turn.person.roles, sayings[one].right)]
    return (*(Option(one, text(f"saying.{one}")) for one in open_to), Option(NONE_OF_THEM, text("saying.none")))


async def submit(turn: Turn, answers: Answers) -> None:
    """Do what was chosen, with the words that were kept."""
    chosen = str(answers["job"]["id"])
    saying = turn.world.declared.sayings.get(chosen)
    if saying is None:
        turn.reply(Say(text("lost.none_of_them"), await menu(turn)))
        return
    said = str(answers["words"])
    turn.event = replace(turn.event, kind="text", text=said, data="")
    turn.opened = await saying.follows(turn, read(said, readers_of(turn.world)))


FORM = Form(
    MEANT,
    (
        FreeText(id="words", max_chars=WORDS_LARGEST),
        Choice(id="job", prepare=_may_be, says=_asked, columns=1, alone=True),
    ),
    submit,
    review=False,
    passing=True,
)
