"""`/help`, and the answers to greetings, to what nobody understood, and to commands that don't exist."""

from __future__ import annotations

from bot.talk.engine import bare
from bot.talk.messages import Say, text
from handlers.people.menu import menu_rows
from handlers.world import Turn


async def help_(turn: Turn, _: str) -> None:
    """The menu. Words that led here because nothing else knew them are answered with what does help."""
    key = "help.unclear" if _unclear(turn) else "help.text"
    turn.reply(Say(text(key, name=turn.person.name, township=turn.world.name), menu_rows(turn.person.roles)))


def _unclear(turn: Turn) -> bool:
    event = turn.event
    if event.kind != "text" or event.text.lstrip().startswith("/"):
        return False
    render = turn.catalogues[turn.person.language].render
    return bare(event.text) not in {bare(word) for word in render(text("phrase.help")).split("|")}


async def more(turn: Turn, args: str) -> None:
    """`/more [level]`: what the first screen of the menu had no room for."""
    level = int(args) if args.isascii() and args.isdigit() else 1
    turn.reply(Say(text("menu.rest"), menu_rows(turn.person.roles, level=level)))


async def unknown(turn: Turn, args: str) -> None:
    """A command that doesn't exist."""
    said = args.split()[0] if args.split() else "/"
    turn.reply(Say(text("help.unknown", said=said), menu_rows(turn.person.roles)))
