"""«断开»: one of a person's chats is no longer theirs (a phone that is lost, or was somebody else's)."""

from __future__ import annotations

import hashlib

from bot.errors import PersonError
from bot.talk.messages import Button, Say, text
from bot.talk.spans import DAY_MS
from handlers.declared import Portion
from handlers.people.actions import private
from handlers.privacy.erasing import forget_address
from handlers.world import Desk, Turn
from storage.database import Row
from storage.people import contact_events, erasure, page_sessions, people

KEY_CHARS = 10
EVENTS_SHOWN = 3


def key_of(address: str) -> str:
    """What a button calls a contact: nothing of the address can be read from it."""
    return hashlib.sha256(address.encode()).hexdigest()[:KEY_CHARS]


async def contacts(turn: Turn, _: str) -> None:
    """`/contacts`: the chats that are joined, what became of others lately, a button to take each other one away."""
    private(turn)
    mine = await people.contacts_of(turn.tx, turn.person.id)
    lines = [_line(turn, row) for row in mine]
    for event in await contact_events.newest_of(turn.tx, turn.person.id, limit=EVENTS_SHOWN):
        channel = text(f"channel.{event['channel']}")
        lines.append(text(f"contact.event.{event['event']}", at_ms=event["at_ms"], channel=channel))
    others = [row for row in mine if row["address"] != turn.person.address]
    buttons = [
        Button(text("contact.disconnect", channel=_channel(row)), f"/disconnect {key_of(row['address'])}")
        for row in others
    ]
    join = Button(text("menu.link"), "/link")
    turn.reply(Say(text("contact.list", lines=lines), tuple((button,) for button in (*buttons, join))))


def _channel(row: Row) -> object:
    return text(f"channel.{row['channel']}")


def _line(turn: Turn, row: Row) -> object:
    here = row["address"] == turn.person.address
    return text("contact.here" if here else "contact.other", channel=_channel(row), at_ms=row["created_ms"])


async def disconnect(turn: Turn, args: str) -> None:
    """`/disconnect KEY yes`: from now on whoever writes there is a stranger; without the word it asks.

    What was written there is erased with it, so that the next one to hold that phone reads nothing.
    """
    private(turn)
    key, _, answer = args.strip().partition(" ")
    mine = await people.contacts_of(turn.tx, turn.person.id)
    row = next((one for one in mine if key_of(one["address"]) == key), None)
    if row is None or row["address"] == turn.person.address:
        raise PersonError("contact_gone")
    if answer.strip() != "yes":
        sure = Button(text("contact.disconnect.yes"), f"/disconnect {key} yes", "danger")
        turn.reply(Say(text("contact.disconnect.ask", channel=_channel(row)), ((sure,),)))
        return
    stranger_id = turn.ids.next()
    await erasure.unlink_photos(turn.tx, turn.person.id, "", [row["address"]])
    await erasure.hand_over(turn.tx, row["address"], stranger_id=stranger_id, now_ms=turn.now_ms)
    await forget_address(turn, stranger_id, row["address"])
    if row["channel"] == "web":
        await _shut(turn, stranger_id, row["address"])
    turn.meet_again([row["address"]])
    await contact_events.add(
        turn.tx,
        row_id=turn.ids.next(),
        person_id=turn.person.id,
        channel=row["channel"],
        event="disconnected",
        now_ms=turn.now_ms,
    )
    turn.reply(text("contact.disconnected", channel=_channel(row)))


async def _shut(turn: Turn, stranger_id: int, address: str) -> None:
    """Void the cookies of a page that was taken away: what stands on its screen goes, too."""
    await people.add_contact(turn.tx, channel="web", address=address, person_id=stranger_id, now_ms=turn.now_ms)
    await page_sessions.end(turn.tx, address, now_ms=turn.now_ms)


async def old_events(desk: Desk, portion: Portion) -> bool:
    """Erase what became of contacts, and wrong codes, when they are as old as conversations may be."""
    before_ms = desk.now_ms - desk.world.policy.retention.conversation_days * DAY_MS
    return await contact_events.erase_before(desk.tx, before_ms=before_ms, limit=portion.rows) >= portion.rows
