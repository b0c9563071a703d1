"""From a message that waits to a push, and what became of the push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.spans import DAY_MS
from handlers.declared import Portion
from handlers.push import rules
from handlers.world import Desk
from storage.people import push

SEND = "push.send"


async def wanted(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer `push.wanted`: something has begun to wait for the browser `subscription`."""
    await _plan(desk, payload["subscription"])


async def _plan(desk: Desk, subscription_id: str) -> None:
    """Plan a push when something waits that no push has told of or is about to."""
    tx, now_ms = desk.tx, desk.now_ms
    row = await push.subscription(tx, subscription_id)
    if row is None:
        return
    untold = await push.untold(tx, row, now_ms=now_ms)
    if untold is None:
        return
    told = rules.Told(row["planned_ms"], row["told_ms"], row["seen_ms"] or 0)
    awake_ms = desk.world.after_quiet_ms(rules.moment_ms(now_ms, told))
    fire_ms = rules.planned_for(now_ms, told, urgent=untold.urgent, awake_ms=awake_ms)
    if fire_ms is None:
        return
    await push.plan(tx, subscription_id, planned_ms=fire_ms)
    until_ms = fire_ms + DAY_MS if untold.urgent else desk.world.before_quiet_ms(fire_ms)
    said = {"subscription": subscription_id, "planned_ms": fire_ms, "until_ms": until_ms}
    desk.later(SEND, f"{SEND}:{subscription_id}:{fire_ms}", fire_ms, **said)


async def sent(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer `push.send`, after its errand (`bot.push.telling`), which says what became of it: `told_ms`, `gone`,
    `late`; nothing when nothing waited any more, or the push was given up.
    """
    subscription_id = payload["subscription"]
    if "told_ms" in payload:
        await push.told(desk.tx, subscription_id, told_ms=payload["told_ms"])
    elif payload.get("gone"):
        await push.forget(desk.tx, subscription_id)
    elif payload.get("late"):
        await _plan(desk, subscription_id)


async def unused(desk: Desk, portion: Portion) -> bool:
    """Erase, once a night, browsers that nobody has opened for as long as conversations are kept."""
    if portion.number == 0:
        before_ms = desk.now_ms - desk.world.policy.retention.conversation_days * DAY_MS
        await push.erase_unused(desk.tx, before_ms=before_ms)
    return False
