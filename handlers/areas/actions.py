"""Places from the database: the gazetteer at its stamp, and households as people name them."""

from __future__ import annotations

from bot.talk.numerals import tidy
from handlers.areas.index import Gazetteer, build
from handlers.areas.places import Area
from handlers.areas.rules import clean
from storage.database import Tx
from storage.people.households import SEARCH_LIMIT, HouseholdFound, search
from storage.product.areas import all_areas, all_landmarks, all_stations, stamp


async def load_gazetteer(tx: Tx, cached: Gazetteer | None = None) -> Gazetteer:
    """The places in force; `cached` itself while its stamp still holds (one small query)."""
    now = await stamp(tx)
    if cached is not None and cached.stamp == now:
        return cached
    return build(await all_areas(tx), await all_landmarks(tx), await all_stations(tx), now)


async def find_households(
    tx: Tx, places: Gazetteer, said: str, *, village_id: int | None = None, limit: int = SEARCH_LIMIT
) -> list[HouseholdFound]:
    """Households for «N0123», «张三», «张三家», «王家沟 张三»: candidates with village and hamlet, best first.

    `village_id` is where the speaker works or lives; a village that is said comes before it.
    """
    words = tidy(said)
    before, _, name = words.rpartition(" ")
    if place := _place_before(places, before, village_id):
        village, hamlet = place
        found = await search(tx, name, village_id=village.area_id, limit=limit)
        here = [one for one in found if hamlet is None or one.area_id == hamlet.area_id]
        return here or found
    whole = clean(words)
    found = await search(tx, whole, village_id=village_id, limit=limit)
    if not found and len(whole) > 2 and whole[-1] in "家户":
        found = await search(tx, whole[:-1], village_id=village_id, limit=limit)
    return found


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
