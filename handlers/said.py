"""What follows from what was said, for the `follows` of a saying: a command, a form, a short answer."""

from __future__ import annotations

from collections.abc import Callable

from bot.talk.messages import text
from bot.talk.understanding.slots import Read
from bot.talk.understanding.when import day_of
from bot.turn import Intent
from handlers.declared import Follows
from handlers.people.rules import may
from handlers.world import Turn

AGAIN_MS = 30 * 60_000
VARIANTS_LARGEST = 12
Args = Callable[[Turn, Read], str]


def nothing(turn: Turn, read: Read) -> str:
    """The words of a command that takes none."""
    return ""


def the_day(turn: Turn, read: Read) -> str:
    """The day that was said as ISO text, "" without one."""
    today = turn.world.day(turn.now_ms)
    days = (day_of(read.words(slot), today) for slot in read.of("date", "day"))
    return next((day.isoformat() for day in days if day is not None), "")


def the_person(turn: Turn, read: Read) -> str:
    """Who was named, "" when nobody was."""
    return str(read.first("person") or "")


def of_whom(turn: Turn, read: Read) -> str:
    """Whose account is asked for, by somebody who may look at others'."""
    return the_person(turn, read) if may(turn.person.roles, "see_ledger") else ""


def the_places(turn: Turn, read: Read) -> str:
    """The places that were named, as they were said."""
    return "".join(read.words(slot) for slot in read.of("place"))


def the_case(turn: Turn, read: Read) -> str:
    """The number of the case that was said, "" without one."""
    return str(read.first("case") or "")


def runs(command: str, args: Args = nothing) -> Follows:
    """A command, with what was said."""

    async def follow(turn: Turn, read: Read) -> Intent | None:
        return Intent(command=command, args=args(turn, read))

    return follow


def opens(form: str) -> Follows:
    """A form from its beginning."""

    async def follow(turn: Turn, read: Read) -> Intent | None:
        return Intent(form=form)

    return follow


def answers(key: str, variants: int = 1) -> Follows:
    """A short answer: the text `key`, or one of `key.0`, `key.1`…, another one each time."""

    async def follow(turn: Turn, read: Read) -> Intent | None:
        count, mark = await nth(turn, key)
        said = key if variants == 1 else f"{key}.{count % variants}"
        turn.reply(text(said, township=turn.world.name), key=mark)
        return None

    return follow


async def nth(turn: Turn, key: str) -> tuple[int, str | None]:
    """How often somebody was answered this of late, and the key of the answer that is to count from now on."""
    period = turn.now_ms // AGAIN_MS
    for count in range(VARIANTS_LARGEST):
        mark = f"said.{key}:{turn.person.id}:{period}:{count}"
        if not await turn.was_told(mark, turn.person.address):
            return count, mark
    return VARIANTS_LARGEST, None
