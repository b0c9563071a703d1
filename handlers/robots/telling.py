"""Writing to the group of an area's robot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.talk.messages import Out, Say
from bot.turn import Dispatch
from handlers.areas.places import Area
from handlers.robots.rules import Matter, called
from handlers.world import Desk, World
from storage.machine import wecom

CHANNEL = "wecom"
# A letter to a group is nobody's: no person erases it with themselves, and the digest counts it for the township.
NOBODY = 0
DEPTH = {"town": 0, "village": 1, "hamlet": 2}


def groups(world: World) -> list[Area]:
    """The areas whose group has a robot, the township first."""
    found = [world.places.areas[area_id] for area_id in world.robots]
    return sorted(found, key=lambda area: (DEPTH[area.level], area.code))


async def tell(
    desk: Desk,
    area: Area,
    say: Say,
    *,
    key: str,
    due_ms: int,
    expires_ms: int | None = None,
    about: Iterable[Matter] = (),
) -> bool:
    """Write to an area's group, once for a key, calling those whom it is about; False: it was written before."""
    world = desk.world
    address = world.robots[area.area_id]
    if await desk.was_told(key, address):
        return False
    matters = tuple(about)
    names = await _called(desk, matters) if matters else ()
    out = desk.catalogues[desk.catalogues.default].out(say)
    desk.post(
        NOBODY, CHANNEL, address, replace(out, mentions=names), Dispatch(key, due_ms=due_ms, expires_ms=expires_ms)
    )
    return True


async def show(desk: Desk, area: Area, media_id: str, *, key: str, due_ms: int, expires_ms: int) -> None:
    """Show a picture to an area's group, once for a key."""
    address = desk.world.robots[area.area_id]
    if not await desk.was_told(key, address):
        out = Out("", media=(media_id,))
        desk.post(NOBODY, CHANNEL, address, out, Dispatch(key, due_ms=due_ms, expires_ms=expires_ms))


async def _called(desk: Desk, matters: Iterable[Matter]) -> tuple[str, ...]:
    world = desk.world
    places = world.places

    def depth(area_id: int) -> int:
        area = places.areas.get(area_id)
        return DEPTH[area.level] if area is not None else 0

    return called(matters, await wecom.on_duty(desk.tx, now_ms=desk.now_ms), places.covers, depth)
