"""A weigh-in said in one line, by those who may weigh: «张三 15.6公斤», «N0123 毛16皮0.4公斤 杂质5%»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.talk.form import Wrong
from bot.talk.hearing import bare
from bot.talk.letters import DOTS, HAN
from bot.talk.messages import Media, text
from bot.talk.numerals import QuantityError
from bot.talk.quantity import is_numeral
from bot.talk.session import REVIEW, Frame
from bot.talk.understanding.slots import read
from bot.turn import Intent
from handlers.areas.actions import says_whole
from handlers.facts import Facts
from handlers.film import search
from handlers.film.forms import PHOTOS_OF_A_SCALE
from handlers.film.weighing import reading
from handlers.film.weighing.words import WeighReading, parse_weigh_line
from handlers.people.actions import private
from handlers.people.rules import may
from handlers.phrases import with_rest
from handlers.policy.model import Policy
from handlers.understanding import readers_of, understand
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
    return await from_line(turn, _without_command(turn, event.text.strip()), event.media)


def _without_command(turn: Turn, said: str) -> str:
    """What stands behind the command's name in «称重 张三», else the words as they are."""
    words = turn.catalogues[turn.person.language].render(text("phrase.weigh")).split("|")
    return next((rest for _, rest in with_rest(said, dict.fromkeys(map(bare, words), FORM))), said)


async def surely(turn: Turn, takes_words: bool) -> Intent | None:
    """A household that there is and a weight, said to a question about another matter by somebody who may weigh."""
    said = turn.event.text.strip()
    if not may(turn.person.roles, "weigh_film"):
        return None
    known = [(one, found) for one in _readings(turn, said) if (found := await _exactly(turn, one.name_text))]
    one_meant = len({(one.net_g, found[0].household_id) for one, found in known}) == 1
    return _of_household(turn, *known[0], turn.event.media) if one_meant else None


def is_a_weight(turn: Turn, rest: str) -> bool:
    """Whether words behind the command are a weigh-in, whole or not."""
    film = turn.world.policy.film
    try:
        parse_weigh_line(rest, default_unit=film.default_unit, kinds=film.kind_words())
    except QuantityError as problem:
        return problem.code != "not_a_number"
    return True


async def command(turn: Turn, args: str) -> None:
    """`/weigh 张三 15.6公斤`; anything else opens the form from its start."""
    private(turn)
    intent = await from_line(turn, args.strip(), ()) if args.strip() else None
    turn.opened = intent or Intent(form=FORM)


def _readings(turn: Turn, said: str) -> Sequence[WeighReading]:
    """Every way to read a line as a weigh-in; none when it is no whole one."""
    film = turn.world.policy.film
    try:
        return parse_weigh_line(said, default_unit=film.default_unit, kinds=film.kind_words())
    except QuantityError:
        return ()


async def from_line(turn: Turn, said: str, photos: Sequence[Media]) -> Intent | None:
    """The weigh form with what a line says; None when it is no weigh-in.

    Everything known leads straight to the review; only what is missing is asked, after what is wrong was told.
    """
    first, rest = _first_of_several(turn, said)
    if rest and (intent := await from_line(turn, first, photos)) is not None:
        note = text("film.line.more", rest=rest[:60])
        return replace(intent, answers={**intent.answers, "rest": rest}, note=intent.note or note)
    world = turn.world
    policy = world.policy
    try:
        readings = parse_weigh_line(said, default_unit=policy.film.default_unit, kinds=policy.film.kind_words())
    except QuantityError as problem:
        return await _odd_line(turn, said, problem, photos)
    known = [(one, found) for one in readings if (found := await _exactly(turn, one.name_text))]
    if not known:
        only_household = await _of_household_only(turn, said, "not_a_number", photos)
        return only_household or (None if _is_another_saying(turn, said) else _unknown(turn, readings, photos))
    if len({(one.net_g, found[0].household_id) for one, found in known}) > 1:
        return Intent(form=FORM, note=text("film.line.ambiguous", said=said[:40]))
    return _of_household(turn, *known[0], photos)


def _first_of_several(turn: Turn, said: str) -> tuple[str, str]:
    """A message about several households («张三三十斤 李四二十斤»): the first one's part, and the rest or "".

    Each part must be a weigh-in of its own; weights with labels (毛, 皮, 净) belong to one household.
    """
    found = read(said, readers_of(turn.world))
    starts = [slot.start for slot in found.of("person")]
    if len(starts) < 2 or len(found.of("weight")) < 2 or any(label in found.said for label in "毛皮净"):
        return said, ""
    ends = [*starts[1:], len(found.said)]
    parts = [found.said[start:end].strip(" ,;、") for start, end in zip(starts, ends, strict=True)]
    if not all(_readings(turn, part) for part in parts):
        return said, ""
    return parts[0], " ".join(parts[1:])


async def from_reading(turn: Turn, one: WeighReading, photos: Sequence[Media]) -> Intent:
    """The form with what a sentence says; what it doesn't say is asked."""
    found = await _exactly(turn, one.name_text) if one.name_text else []
    if one.net_g is None:
        answers = _prefill(turn, turn.world.policy, photos)
        household = {"household": _chosen(turn, found[0])} if len(found) == 1 else {}
        return Intent(form=FORM, answers={**answers, **household})
    if found:
        return _of_household(turn, one, found, photos)
    intent = _of_reading(turn, one, photos)
    return replace(intent, note=text("film.line.unknown", said=one.name_text)) if one.name_text else intent


async def again(turn: Turn, frame: Frame) -> Intent | None:
    """A whole line, household and weight, said to a question of an open weigh-in: it takes the draft's place.

    The photo already taken stays, and the station. In the review nothing is replaced: that one may be meant, too.
    """
    event = turn.event
    if frame.asked == REVIEW:
        return None
    known = [
        (one, found) for one in _readings(turn, event.text.strip()) if (found := await _exactly(turn, one.name_text))
    ]
    if len({(one.net_g, found[0].household_id) for one, found in known}) != 1:
        return None
    before, note = frame.answers.get("household"), None
    if before and before["id"] not in {str(one.household_id) for one in known[0][1]}:
        note = text("film.line.instead", before=before["label"])
    photos = (*(Media(*one) for one in frame.answers.get("photo") or ()), *event.media)
    intent = _of_household(turn, *known[0], photos[:PHOTOS_OF_A_SCALE])
    station = {name: value for name, value in frame.answers.items() if name == "station"}
    return replace(intent, answers={**intent.answers, **station}, note=note or intent.note)


def _of_household(turn: Turn, one: WeighReading, found: Sequence[HouseholdFound], photos: Sequence[Media]) -> Intent:
    """The form with a reading whose household is known, or is one of several."""
    intent = _of_reading(turn, one, photos)
    if len(found) == 1:
        return replace(intent, answers={**intent.answers, "household": _chosen(turn, found[0])})
    note = text("film.line.several", said=one.name_text, count=len(found))
    return replace(intent, answers={**intent.answers, "household_said": one.name_text}, note=note)


def _of_reading(turn: Turn, one: WeighReading, photos: Sequence[Media]) -> Intent:
    """The form with what a reading says, but for the household; a weight that can't be is told and left out."""
    policy = turn.world.policy
    answers = _prefill(turn, policy, photos)
    if one.kind is not None:
        kind = policy.film.kind(one.kind)
        answers["kind"] = {"id": kind.id, "label": kind.name.in_language(turn.person.language)}
    weight = reading.weight_of(one)
    checked = reading.check_weight(weight, policy)
    if isinstance(checked, Wrong):
        return Intent(form=FORM, answers=answers, note=text(f"form.weigh.weight.{checked.code}", **checked.fields))
    answers["weight"] = weight
    if one.impurity_bp is not None:
        answers["impurity"] = {"bp": one.impurity_bp}
    return Intent(form=FORM, answers=answers)


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
    """A line that is a weigh-in but for one thing: no household, no unit, a weight that can't be, or none at all."""
    policy = turn.world.policy
    if problem.code == "name_missing":
        checked = reading.read_weight(said, Facts(turn.world, turn.world.day(turn.now_ms)))
        if isinstance(checked, Wrong):
            return await _of_household_only(turn, said, checked.code, photos)
        value = {name: part for name, part in checked.value.items() if name != "sure"}
        return Intent(form=FORM, answers={**_prefill(turn, policy, photos), "weight": value})
    return await _of_household_only(turn, said, problem.code, photos)


async def _of_household_only(turn: Turn, said: str, code: str, photos: Sequence[Media]) -> Intent | None:
    """A line of which only the household can be used: the form with it, and what is wrong with the weight."""
    named = await _begins_with_household(turn, said)
    if named is None:
        return None
    name, found = named
    behind = said[len(name) :].lstrip(" :：,，家的户")
    if code == "not_a_number" and behind and not is_numeral(behind[0]):
        return None
    answers = _prefill(turn, turn.world.policy, photos)
    if len(found) == 1:
        answers["household"] = _chosen(turn, found[0])
    else:
        answers["household_said"] = name
    note = text(f"form.weigh.weight.{code}", said=said[:30]) if behind else None
    return Intent(form=FORM, answers=answers, note=note)


async def _begins_with_household(turn: Turn, said: str) -> tuple[str, list[HouseholdFound]] | None:
    """The known household that a line begins with, its name followed by a space or by anything else."""
    first = said.split()[0]
    for name in dict.fromkeys((first, *(first[:length] for length in range(LONGEST_NAME, 1, -1)))):
        if found := await _exactly(turn, name):
            return name, found
    return None


def _is_another_saying(turn: Turn, said: str) -> bool:
    """Whether words of which no household is known are surely no weigh-in («改成15斤»)."""
    judged = understand(turn.world, turn.person.roles, said).judged
    return judged.sureness == "sure" and judged.best != FORM


def _unknown(turn: Turn, readings: Sequence[WeighReading], photos: Sequence[Media]) -> Intent | None:
    """A name that no household has: say so and ask for it again, with the weight already known.

    Words that don't look like a name, or name a place, are left to others.
    """
    world = turn.world
    one = readings[-1]
    if not _LIKE_A_NAME.fullmatch(one.name_text) or world.places.find_place(one.name_text) is not None:
        return None
    return replace(_of_reading(turn, one, photos), note=text("film.line.unknown", said=one.name_text))
