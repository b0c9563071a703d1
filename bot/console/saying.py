"""How a sentence is understood, for whoever tunes a township's own words: slots, sayings, chances, verdict."""

from __future__ import annotations

from collections.abc import Iterator

from bot.clock import SystemClock
from bot.console.townships import opened, township_of
from bot.console.words import OperatorError, say
from bot.settings import Settings
from bot.turn import Role
from handlers.people.rules import EVERY_ROLE
from handlers.understanding import Understood, understand
from handlers.world import World
from handlers.world_cache import Worlds

SHOWN = 5
VILLAGER = "villager"


async def hear(settings: Settings, words: str, role: str, township: str) -> list[str]:
    """Understand words as somebody with a role would be understood; a line for each thing that was found.

    Raises OperatorError for an unknown role or township, and when nothing was imported.
    """
    if role not in (VILLAGER, *EVERY_ROLE):
        raise OperatorError("unknown_role", role=role, known=", ".join((VILLAGER, *EVERY_ROLE)))
    async with opened(settings) as (database, _):
        township_id = await township_of(database, township)
        worlds = Worlds(settings.zone, settings.address)
        now_ms = SystemClock().now_ms()
        world = await database.read(lambda tx: worlds.load(tx, now_ms), township_id=township_id)
    roles = () if role == VILLAGER else (Role(role, _town(world)),)
    return list(_told(understand(world, roles, words)))


def _town(world: World) -> int:
    return world.places.town.area_id if world.places.town is not None else 0


def _told(found: Understood) -> Iterator[str]:
    for slot in found.read.slots:
        yield say("say.slot", kind=slot.kind, words=found.read.words(slot), value=slot.value)
    yield say("say.rest", words=found.read.rest())
    for one in found.ranked[:SHOWN]:
        yield say("say.saying", saying=one.saying, chance=round(one.chance * 100))
    names = ", ".join(one.saying for one in found.judged.sayings)
    yield say(f"say.{found.judged.sureness}", sayings=names)
