"""What the program does not handle: who does, by the township's policy. Nothing is opened."""

from __future__ import annotations

from bot.talk.messages import Say, text
from bot.talk.understanding.slots import Read
from bot.turn import Intent
from handlers.people.guide import menu
from handlers.world import Turn


async def follow(turn: Turn, read: Read) -> Intent | None:
    """Say which office handles it, or the number for everything else."""
    elsewhere = turn.world.policy.elsewhere
    office = elsewhere.office_for(read.said)
    if office is None:
        said = text("elsewhere.last", phone=elsewhere.last)
    else:
        name = office.name.in_language(turn.person.language)
        said = text("elsewhere.office", office=name, phone=office.phone, last=elsewhere.last)
    turn.reply(Say(said, await menu(turn)))
    return None
