"""Somebody blocks the bot, or no longer follows the account."""

from __future__ import annotations

from collections.abc import Sequence

from bot.turn import Person
from handlers.privacy.erasing import forget_address, forget_everything
from handlers.world import Turn
from storage.people import erasure, people

ERASED_ON_LEAVING = frozenset({"wechat"})  # WeChat's rules for Official Accounts: who unfollows is forgotten


async def left(turn: Turn) -> None:
    """Nothing more goes there; where the platform wants it, what is known of that contact is erased.

    Who can be reached nowhere else is erased altogether. Nothing is said: it would not arrive.
    """
    person = turn.person
    if person.channel not in ERASED_ON_LEAVING:
        await people.set_contact_state(turn.tx, person.address, "unreachable")
        return
    pages = [row["address"] for row in await people.opened_from(turn.tx, person.address)]
    gone = [person.address, *pages]
    if any(row["address"] not in gone for row in await people.contacts_of(turn.tx, person.id)):
        await _forget_contacts(turn, gone)
    else:
        await forget_everything(turn, person.id, "withdrawn" if person.consent_version is not None else "")
    turn.forget()


async def _forget_contacts(turn: Turn, addresses: Sequence[str]) -> None:
    """Erase some of a person's contacts and what went through them: they are from now on a stranger's."""
    person, stranger_id = turn.person, turn.ids.next()
    await erasure.unlink_photos(turn.tx, person.id, person.channel, addresses)
    for address in addresses:
        await erasure.hand_over(turn.tx, address, stranger_id=stranger_id, now_ms=turn.now_ms)
        await forget_address(turn, stranger_id, address)
    turn.person = Person(stranger_id, "", person.language, person.channel, person.address)
