"""«退出登录»: a web page is nobody's from now on; and pages of the office that lie unused are signed out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from bot.talk.messages import Button, Say, text
from bot.talk.spans import DAY_MS
from handlers.people.actions import private
from handlers.people.rules import office_roles
from handlers.world import Desk, Turn
from storage.people import contact_events, page_sessions, people

IDLE = "people.pages_idle"
IDLE_AT = time(3, 40)
LARGEST = 500


async def signout(turn: Turn, args: str) -> None:
    """`/signout [yes]`: end this page's session, and every copy of its cookie. Nothing is said: the page shows it."""
    private(turn)
    if turn.person.channel != "web":
        turn.reply(Say(text("signout.elsewhere"), ((Button(text("contact.mine"), "/contacts"),),)))
        return
    if args.strip() != "yes":
        others = [row for row in await people.contacts_of(turn.tx, turn.person.id) if row["channel"] != "web"]
        sure = Button(text("signout.yes"), "/signout yes", "danger")
        rows = ((sure,),) if others else ((Button(text("menu.link"), "/link", "primary"),), (sure,))
        turn.reply(Say(text("signout.ask" if others else "signout.ask_only"), rows))
        return
    await _end(turn, turn.person.id, turn.person.address)


async def _end(desk: Desk, person_id: int, address: str) -> None:
    if await page_sessions.end(desk.tx, address, now_ms=desk.now_ms):
        await contact_events.add(
            desk.tx,
            row_id=desk.ids.next(),
            person_id=person_id,
            channel="web",
            event="disconnected",
            now_ms=desk.now_ms,
        )


async def plan(desk: Desk) -> None:
    """Once a day, early in the morning."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today, today + timedelta(days=1)):
        desk.later(IDLE, f"{IDLE}:{day.isoformat()}", world.moment_ms(day, IDLE_AT))


async def idle_pages(desk: Desk, _: Mapping[str, Any]) -> None:
    """Timer: sign out the office's pages that nobody has used for the policy's days."""
    days = desk.world.policy.security.page_idle_days
    if not days:
        return
    before_ms = desk.now_ms - days * DAY_MS
    for row in await page_sessions.idle(desk.tx, office_roles(), before_ms=before_ms, limit=LARGEST):
        await _end(desk, row["person_id"], row["address"])
