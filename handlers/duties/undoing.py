"""Taking back a clean-up report within the policy's minutes: the village's earlier one stands again, or none."""

from __future__ import annotations

from datetime import date, time, timedelta

from bot.errors import PersonError
from bot.talk.messages import Say, text
from bot.talk.spans import MINUTE_MS
from handlers.people.actions import private
from handlers.undo import withdraw_button
from handlers.world import Turn
from storage.database import Row
from storage.machine import reversals
from storage.product import duties

LOOKED_AT_DAYS = 3  # a report of today's, yesterday's or the day before


async def newest_of(turn: Turn) -> Row | None:
    """The newest report that this person wrote and may still take back (id, village_id, at_ms)."""
    today, since_ms = turn.world.day(turn.now_ms), turn.now_ms - turn.world.policy.undo.minutes * MINUTE_MS
    days = [(today - timedelta(days=before)).isoformat() for before in range(LOOKED_AT_DAYS)]
    found = [row for day in days for row in await duties.reports(turn.tx, day)]
    own = [row for row in found if row["person_id"] == turn.person.id and row["at_ms"] > since_ms]
    return max(own, key=lambda row: (row["at_ms"], row["id"]), default=None)


def offer(turn: Turn, row: Row) -> Say:
    """The way to take a report back and say it again, for who said «错了»."""
    area = turn.world.places.areas.get(row["village_id"])
    rows = ((withdraw_button(f"/uncleanup {row['id']}"),),)
    return Say(text("cleanup.fix", village=area.name if area else "?"), rows)


async def command(turn: Turn, args: str) -> None:
    """`/uncleanup ID`: the report of that id is withdrawn by whoever wrote it."""
    private(turn)
    said, world = args.strip(), turn.world
    row = await duties.report(turn.tx, int(said)) if said.isascii() and said.isdigit() and len(said) < 17 else None
    if row is None or row["person_id"] != turn.person.id:
        raise PersonError("cleanup_not_yours")
    if turn.now_ms >= row["at_ms"] + world.policy.undo.minutes * MINUTE_MS:
        raise PersonError("cleanup_too_late", minutes=world.policy.undo.minutes)
    standing = {one["id"] for one in await duties.reports(turn.tx, row["day"], village_id=row["village_id"])}
    if row["id"] not in standing:
        raise PersonError("cleanup_replaced")
    if row["replaces"] is None:
        await reversals.add_reversal(
            turn.tx,
            reversal_id=turn.ids.next(),
            what=duties.WITHDRAWN,
            subject_id=row["village_id"],
            entry_id=row["id"],
            entry_ms=row["at_ms"],
            kind="withdrawn",
            person_id=turn.person.id,
            reason="",
            at_ms=turn.now_ms,
        )
    else:
        await duties.restore(turn.tx, row["id"], new_id=turn.ids.next, person_id=turn.person.id, at_ms=turn.now_ms)
    area = world.places.areas.get(row["village_id"])
    key = "cleanup.withdrawn" if row["replaces"] is None else "cleanup.restored"
    day_ms = world.moment_ms(date.fromisoformat(row["day"]), time())
    answer = text(key, village=area.name if area else "?", day_ms=day_ms)
    turn.reply(Say(answer, card=f"cleanup:{row['id']}"))
