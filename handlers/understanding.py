"""What free words are, when no exact shape was found in them: slots, ranking, and what follows from it.

Sure: it is done, or its review is shown. Half sure: one question with what it may be. Otherwise words that complain are
kept and offered as a report, and others get a short answer. Nothing is written here: forms ask for a tap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.spoken import stored
from bot.talk.messages import Say, text
from bot.talk.understanding.judging import Judged, judge
from bot.talk.understanding.model import Own, Ranked
from bot.talk.understanding.readers import READERS
from bot.talk.understanding.slots import Read, Reader, read
from bot.turn import Intent
from handlers.declared import Saying
from handlers.people.guide import menu
from handlers.people.rules import Held, may
from handlers.policy.talk import OwnWords
from handlers.said import nth
from handlers.world import Turn, World

REPORT: Final = "report"
ELSEWHERE: Final = "elsewhere"
MEANT: Final = "meant"  # the form that asks which of several was meant
COMPLAINING = 0.25
SURELY_ELSE = 0.7  # from here on words to a question are about something else
REFUSED = 0.7  # from here on what only others may do is refused, not offered as something else
LOST_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as it was understood: its slots, the ranking of all sayings, and what that is worth to its sender."""

    read: Read
    ranked: tuple[Ranked, ...]
    judged: Judged

    def chance(self, sayings: Iterable[str]) -> float:
        """The chance that it is any of some sayings."""
        wanted = set(sayings)
        return sum(one.chance for one in self.ranked if one.saying in wanted)


def readers_of(world: World) -> tuple[Reader, ...]:
    """What reads slots in a township: the product's own readers, then everybody's."""
    return (*(make(world) for make in world.declared.readers), *READERS)


def understand(world: World, roles: Iterable[Held], words: str) -> Understood:
    """Understand words as somebody with these roles means them. Nothing is looked up in the database."""
    held = tuple(roles)
    declared = world.declared
    found = read(words, readers_of(world))
    certain = stored.always(found.said)
    if certain:
        return Understood(found, (Ranked(certain, 1.0),), Judged("sure", (Ranked(certain, 1.0),)))
    features = stored.meanings().features(found)
    ranked = stored.model().rank(features, _own(world.policy.sayings))
    ranked = [one for one in ranked if one.saying in declared.sayings]
    named = world.policy.report.kind_said(found.said) is not None  # by the township's words for what is reported
    careful = () if named else {one.id for one in declared.sayings.values() if one.complains}
    judged = judge(ranked, lambda one: may(held, declared.sayings[one].right), careful)
    if judged.sureness != "sure" and world.policy.elsewhere.office_for(found.said) is not None:
        judged = Judged("sure", tuple(one for one in ranked if one.saying == ELSEWHERE))  # by the township's own words
    return Understood(found, tuple(ranked), judged)


@lru_cache(maxsize=64)
def _own(sentences: tuple[OwnWords, ...]) -> tuple[Own, ...]:
    """A township's own sentences, ready to compare."""
    features = stored.meanings().features
    return tuple(
        stored.model().own(one.saying, features(read(words, READERS))) for one in sentences for words in one.words
    )


async def follow(turn: Turn) -> Intent | None:
    """What follows from the words of a turn; None when they were answered."""
    said = turn.event.text.strip()
    if not any(character.isalnum() for character in said):
        count, mark = await nth(turn, "small.greeting")
        turn.reply(Say(text(f"small.greeting.{count % LOST_VARIANTS}"), await menu(turn)), key=mark)
        return None
    understood = understand(turn.world, turn.person.roles, said)
    judged, sayings = understood.judged, turn.world.declared.sayings
    refused = _refused(turn, understood)
    if refused is not None:
        turn.reply(Say(text("error.no_right", who=text(f"right.{refused.right}.who")), await menu(turn)))
        return None
    if judged.sureness == "sure":
        return await sayings[judged.best].follows(turn, understood.read)
    if judged.sureness == "half":
        return which(said, "half", tuple(one.saying for one in judged.sayings))
    if understood.chance(one.id for one in sayings.values() if one.complains) >= COMPLAINING:
        return which(said, "complaint", (REPORT,))
    return await _lost(turn)


def _refused(turn: Turn, understood: Understood) -> Saying | None:
    """What words surely are, when their sender has no right to it and they are nothing else."""
    first = turn.world.declared.sayings[understood.ranked[0].saying]
    if may(turn.person.roles, first.right) or understood.judged.sureness == "sure":
        return None
    return first if understood.ranked[0].chance >= REFUSED else None


async def in_a_question(turn: Turn) -> Intent | None:
    """What follows from words that are surely about something else than the open question; None leaves them to it."""
    said = turn.event.text.strip()
    if not any(character.isalpha() for character in said):
        return None  # figures are an answer, right or wrong
    understood = understand(turn.world, turn.person.roles, said)
    judged = understood.judged
    saying = turn.world.declared.sayings.get(judged.best)
    if judged.sureness != "sure" or saying is None or not saying.anytime or judged.sayings[0].chance < SURELY_ELSE:
        return None
    return await saying.follows(turn, understood.read)


def which(said: str, why: str, sayings: tuple[str, ...]) -> Intent:
    """The question which of a few things was meant; the words are kept. `why` chooses how it is asked."""
    return Intent(form=MEANT, answers={"words": said, "why": why, "may_be": list(sayings)})


async def _lost(turn: Turn) -> Intent | None:
    """Nothing was understood: a short answer, another one each time, and the menu."""
    count, mark = await nth(turn, "lost")
    turn.reply(Say(text(f"lost.{count % LOST_VARIANTS}"), await menu(turn)), key=mark)
    return None
