"""Places from the database: the gazetteer at its stamp, and households as people name them."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.talk import letters
from bot.talk.numerals import tidy
from handlers.areas import rules
from handlers.areas.index import Gazetteer, build, split_names
from handlers.areas.places import Area
from storage.database import Tx
from storage.people.households import SEARCH_LIMIT, HouseholdFound, by_card, by_tail, search
from storage.product.areas import all_areas, all_landmarks, all_stations, stamp, township

_PARENTHESES = re.compile(r"[()（）]")


async def load_gazetteer(tx: Tx, cached: Gazetteer | None = None) -> Gazetteer:
    """The places in force; `cached` itself while its stamp still holds (one small query)."""
    now = await stamp(tx)
    if cached is not None and cached.stamp == now:
        return cached
    row = await township(tx)
    around = (row["county"], row["province"]) if row else ()
    return build(await all_areas(tx), await all_landmarks(tx), await all_stations(tx), now, around)


async def find_households(
    tx: Tx,
    places: Gazetteer,
    said: str,
    *,
    village_id: int | None = None,
    tails_in: Collection[int] = (),
    limit: int = SEARCH_LIMIT,
) -> list[HouseholdFound]:
    """Households for «N0123», «张三», «张三家», «王家沟 张三», «尾号0123»: candidates, best first.

    `village_id` is where the speaker works or lives; a village that is said comes before it. The last digits of a
    card are looked for in the village that is said, else in the villages `tails_in`.
    """
    words = tidy(said)
    tail, rest = rules.card_tail(words)
    if tail and (rest or await by_card(tx, words) is None):
        return await _with_tail(tx, places, rest, tail, tails_in, limit)
    before, _, name = words.rpartition(" ")
    if place := _place_before(places, before, village_id):
        village, hamlet = place
        found = await _named(tx, name, village.area_id, limit)
        here = [one for one in found if hamlet is None or one.area_id == hamlet.area_id]
        return here or found
    found = await _named(tx, words, village_id, limit)
    if not found and len(words) > 2 and words[-1] in "家户":
        found = await _named(tx, words[:-1], village_id, limit)
    return found


async def _named(tx: Tx, said: str, village_id: int | None, limit: int) -> list[HouseholdFound]:
    return await search(tx, said, letters.search_key(said), village_id=village_id, limit=limit)


async def _with_tail(
    tx: Tx,
    places: Gazetteer,
    rest: str,
    tail: str,
    tails_in: Collection[int],
    limit: int,
) -> list[HouseholdFound]:
    """The households whose card ends so; a place or a name said beside it chooses among them."""
    place = places.find_place(rest) if rest else None
    village = place.village if place is not None else None
    names = place.rest if place is not None and village is not None else rest
    found = await by_tail(tx, tail, tails_in if village is None else (village.area_id,), limit=limit)
    if not letters.has_letter(names):
        return found
    keys = {letters.search_key(name) for name in _PARENTHESES.split(names)} - {""}
    own = {one.household_id: {letters.search_key(name) for name in all_names(one)} for one in found}
    return [one for one in found if own[one.household_id] & keys]


def all_names(found: HouseholdFound) -> tuple[str, ...]:
    """The householder's and every member's name."""
    return (found.householder, *split_names(found.members))


def says_whole(found: HouseholdFound, said: str) -> bool:
    """Whether words say a household's card, the end of it or a full name, and not only how a name begins."""
    words = tidy(said)
    tail, _ = rules.card_tail(words)
    if tail and found.card_no.endswith(tail.upper()):
        return True
    last = words.split(" ")[-1]
    keys = {letters.search_key(one) for one in (words, last, words.removesuffix("家"), last.removesuffix("家"))}
    return letters.search_key(found.matched) in keys


def _place_before(places: Gazetteer, before: str, village_id: int | None) -> tuple[Area, Area | None] | None:
    """The village (and hamlet) said before a name; a hamlet alone is one of the speaker's own village."""
    named = places.find_place(before) if before else None
    if named is not None and named.village is not None:
        return named.village, named.hamlet
    village = places.areas.get(village_id) if village_id is not None else None
    if village is None:
        return None
    own = (hamlet for hamlet in places.hamlets_of(village.area_id) if before in (hamlet.name, *hamlet.aliases))
    hamlet = next(own, None)
    return (village, hamlet) if hamlet else None
