"""A weigh-in said in one line, by those who may weigh: «张三 15.6公斤», «N0123 毛16皮0.4公斤 杂质5%»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.talk.form import Wrong
from bot.talk.letters import DOTS, HAN
from bot.talk.messages import Media, text
from bot.talk.numerals import QuantityError
from bot.talk.session import REVIEW, Frame
from bot.turn import Intent
from handlers.areas.actions import says_whole
from handlers.facts import Facts
from handlers.film import search
from handlers.film.forms import PHOTOS_OF_A_SCALE
from handlers.film.weighing import reading
from handlers.film.weighing.words import WeighReading, parse_weigh_line
from handlers.people.actions import private
from handlers.people.rules import may
from handlers.policy.model import Policy
from handlers.world import Turn
from storage.people.households import HouseholdFound

FORM = "weigh"
LONGEST_NAME = 4
_LIKE_A_NAME = re.compile(
    rf"[{HAN}]{{2,4}}|[{HAN}]+(?:[{re.escape(DOTS)}][{HAN}]+)+|[A-Za-z]{{1,3}}[0-9]{{2,8}}|(?:卡?尾号)?[0-9]{{4}}"
)


async def interpret(turn: Turn) -> Intent | None:
    """Free words (or a photo's caption) that are a weigh-in, by somebody who may weigh."""
    event = turn.event
    if event.kind not in ("text", "media") or not event.text.strip() or not may(turn.person.roles, "weigh_film"):
        return None
    return await from_line(turn, event.text.strip(), event.media)


async def command(turn: Turn, args: str) -> None:
    """`/weigh 张三 15.6公斤`; anything else opens the form from its start."""
    private(turn)
    intent = await from_line(turn, args.strip(), ()) if args.strip() else None
    turn.open(FORM, **(intent.answers if intent else {}))


async def from_line(turn: Turn, said: str, photos: Sequence[Media]) -> Intent | None:
    """The weigh form with what a line says; None when it is no weigh-in.

    Everything known leads straight to the review; what is missing or wrong is told and asked.
    """
    world = turn.world
    policy = world.policy
    try:
        readings = parse_weigh_line(said, default_unit=policy.film.default_unit, kinds=policy.film.kind_words())
    except QuantityError as problem:
        return await _odd_line(turn, said, problem, photos)
    known = [(one, found) for one in readings if (found := await _exactly(turn, one.name_text))]
    if not known:
        return _unknown(turn, readings, photos)
    if len({(one.net_g, found[0].household_id) for one, found in known}) > 1:
        turn.reply(text("film.line.ambiguous", said=said[:40]))
        return Intent(form=FORM)
    return _of_household(turn, *known[0], photos)


async def again(turn: Turn, frame: Frame) -> Intent | None:
    """A whole line, household and weight, said to a question of an open weigh-in: it takes the draft's place.

    The photo already taken stays, and the station. In the review nothing is replaced: that one may be meant, too.
    """
    event, policy = turn.event, turn.world.policy
    if frame.asked == REVIEW:
        return None
    try:
        readings = parse_weigh_line(
            event.text.strip(), default_unit=policy.film.default_unit, kinds=policy.film.kind_words()
        )
    except QuantityError:
        return None
    known = [(one, found) for one in readings if (found := await _exactly(turn, one.name_text))]
    if len({(one.net_g, found[0].household_id) for one, found in known}) != 1:
        return None
    before = frame.answers.get("household")
    if before and before["id"] not in {str(one.household_id) for one in known[0][1]}:
        turn.reply(text("film.line.instead", before=before["label"]))
    photos = (*(Media(*one) for one in frame.answers.get("photo") or ()), *event.media)
    intent = _of_household(turn, *known[0], photos[:PHOTOS_OF_A_SCALE])
    station = {name: value for name, value in frame.answers.items() if name == "station"}
    return Intent(form=FORM, answers={**intent.answers, **station})


def _of_household(turn: Turn, one: WeighReading, found: Sequence[HouseholdFound], photos: Sequence[Media]) -> Intent:
    """The form with a reading whose household is known, or is one of several."""
    answers = _answers(turn, turn.world.policy, one, photos)
    if len(found) == 1:
        answers["household"] = _chosen(turn, found[0])
    else:
        answers["household_said"] = one.name_text
        turn.reply(text("film.line.several", said=one.name_text, count=len(found)))
    return Intent(form=FORM, answers=answers)


def _answers(turn: Turn, policy: Policy, one: WeighReading, photos: Sequence[Media]) -> dict[str, Any]:
    """The form's answers from a reading; a weight that can't be is told and left out."""
    answers = _prefill(turn, policy, photos)
    if one.kind is not None:
        kind = policy.film.kind(one.kind)
        answers["kind"] = {"id": kind.id, "label": kind.name.in_language(turn.person.language)}
    weight = reading.weight_of(one)
    checked = reading.check_weight(weight, policy)
    if isinstance(checked, Wrong):
        turn.reply(text(f"form.weigh.weight.{checked.code}", **checked.fields))
        return answers
    answers["weight"] = weight
    if one.impurity_bp is not None:
        answers["impurity"] = {"bp": one.impurity_bp}
    return answers


def _prefill(turn: Turn, policy: Policy, photos: Sequence[Media]) -> dict[str, Any]:
    """What a line leaves unsaid: the township's first kind of film, clean, the photo sent with it if any."""
    kind = policy.film.kinds[0]
    pictures = [[one.kind, one.ref, one.size_bytes] for one in photos if one.kind == "image"]
    return {
        "kind": {"id": kind.id, "label": kind.name.in_language(turn.person.language)},
        "impurity": None,
        "photo": pictures or None,
    }


async def _exactly(turn: Turn, name: str) -> list[HouseholdFound]:
    """Households whose card or a member's name is exactly what was said."""
    said = reading.card_said(name)
    return [one for one in await search.find_households(turn, said) if says_whole(one, said)]


def _chosen(turn: Turn, found: HouseholdFound) -> dict[str, str]:
    option = search.household_option(found)
    return {"id": option.value, "label": turn.catalogues[turn.person.language].render(option.label)}


async def _odd_line(turn: Turn, said: str, problem: QuantityError, photos: Sequence[Media]) -> Intent | None:
    """A line that is a weigh-in but for one thing: no household, no unit, a weight that can't be."""
    policy = turn.world.policy
    if problem.code == "not_a_number":
        return None
    if problem.code == "name_missing":
        checked = reading.read_weight(said, Facts(turn.world, turn.world.day(turn.now_ms)))
        if isinstance(checked, Wrong):
            return None
        value = {name: part for name, part in checked.value.items() if name != "sure"}
        return Intent(form=FORM, answers={**_prefill(turn, policy, photos), "weight": value})
    named = await _begins_with_household(turn, said)
    if named is None:
        return None
    name, found = named
    turn.reply(text(f"form.weigh.weight.{problem.code}", said=said[:30]))
    answers = _prefill(turn, policy, photos)
    if len(found) == 1:
        answers["household"] = _chosen(turn, found[0])
    else:
        answers["household_said"] = name
    return Intent(form=FORM, answers=answers)


async def _begins_with_household(turn: Turn, said: str) -> tuple[str, list[HouseholdFound]] | None:
    """The known household that a line begins with, its name followed by a space or by anything else."""
    first = said.split()[0]
    for name in dict.fromkeys((first, *(first[:length] for length in range(LONGEST_NAME, 1, -1)))):
        if found := await _exactly(turn, name):
            return name, found
    return None


def _unknown(turn: Turn, readings: Sequence[WeighReading], photos: Sequence[Media]) -> Intent | None:
    """A name that no household has: say so and ask for it again, with the weight already known.

    Words that don't look like a name, or name a place, are left to others.
    """
    world = turn.world
    one = readings[-1]
    if not _LIKE_A_NAME.fullmatch(one.name_text) or world.places.find_place(one.name_text) is not None:
        return None
    turn.reply(text("film.line.unknown", said=one.name_text))
    return Intent(form=FORM, answers=_answers(turn, world.policy, one, photos))
