"""What keeps a channel from working: said to those in charge of the whole township, with the digest."""

from __future__ import annotations

from collections.abc import Collection

from bot.talk.messages import Say, Words, on_lines, text
from handlers.world import Desk
from storage.machine import channel_faults


async def troubles(desk: Desk, roots: Collection[int]) -> Say | None:
    """The faults there are now; None without any, or for somebody who has only a part of the township."""
    world = desk.world
    town = next((area.area_id for area in world.places.areas.values() if area.level == "town"), None)
    if town not in roots:
        return None
    lines: list[Words] = [
        text(
            "trouble.line",
            channel=text(f"channel.{row['channel']}"),
            since_ms=row["since_ms"],
            what=text(f"trouble.{row['fault']}|trouble.other", fault=row["fault"]),
        )
        for row in await channel_faults.every(desk.tx)
    ]
    return Say(on_lines([text("trouble.title"), *lines])) if lines else None
