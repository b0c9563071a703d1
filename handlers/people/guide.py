"""The menu with what waits, and answers to greetings, to what nobody understood, to commands that don't exist."""

from __future__ import annotations

from bot.talk.messages import Out, Say, on_lines, text
from bot.talk.understanding.slots import Read
from bot.turn import Dispatch, Intent
from handlers.people.menu import CARD, IN_GROUPS, Rows, menu_rows, native_commands
from handlers.waiting import waiting_for
from handlers.world import Turn

NATIVE = "commands"  # begins the key of a letter that sets the platform's own menu


async def menu(turn: Turn, level: int = 0) -> Rows:
    """Make a screen of the person's menu; the first one says how much waits for them."""
    roles = turn.person.roles
    if turn.event.group:
        return ()  # everybody would read what waits for one
    if not level:
        await _native(turn)
    waiting = sum(backlog.all for backlog in (await waiting_for(turn, roles)).values()) if roles and not level else 0
    return menu_rows(roles, waiting, level)


async def _native(turn: Turn) -> None:
    """Let the platform's own menu in this chat follow the person's roles and language, at most once a day for each."""
    address, roles = turn.person.address, turn.person.roles
    if not turn.native_menu:
        return
    followed = await turn.was_told(NATIVE, address)
    if not roles and not followed:
        return  # everybody's menu is theirs
    names = native_commands(roles)
    key = f"{NATIVE}:{turn.world.day(turn.now_ms)}:{turn.person.language}:{','.join(names)}" if followed else NATIVE
    if not await turn.was_told(key, address):
        render = turn.catalogues[turn.person.language].render
        commands = tuple((name, render(text(f"menu.{name}"))) for name in names)
        turn.post(turn.person.id, turn.person.channel, address, Out("", commands=commands), Dispatch(key))


async def help_(turn: Turn, _: str) -> None:
    """The menu; in a group, what may be asked there."""
    if turn.event.group:
        turn.reply(_in_group())
        return
    turn.reply(Say(text("help.text", name=turn.person.name, township=turn.world.name), await menu(turn), card=CARD))


async def asked_how(turn: Turn, read: Read) -> Intent | None:
    """«我不会用», «人工服务»: what can be done here without typing, and who answers the telephone."""
    keeper = turn.world.policy.consent.keeper.in_language(turn.person.language)
    turn.reply(Say(text("help.how", keeper=keeper), await menu(turn), card=CARD))
    return None


def _in_group() -> Say:
    """What may be asked where everybody reads it."""
    listed = [text("help.group.command", command=name, label=text(f"menu.{name}")) for name in IN_GROUPS]
    return Say(on_lines([text("help.group"), *listed]))


async def more(turn: Turn, args: str) -> None:
    """`/more [level]`: what the first screen of the menu had no room for."""
    if turn.event.group:
        turn.reply(_in_group())
        return
    level = int(args) if args.isascii() and args.isdigit() else 1
    turn.reply(Say(text("menu.rest"), await menu(turn, level), card=CARD))


async def unknown(turn: Turn, args: str) -> None:
    """A command that doesn't exist."""
    if turn.event.group:
        turn.reply(_in_group())
        return
    said = args.split()[0] if args.split() else "/"
    turn.reply(Say(text("help.unknown", said=said), await menu(turn)))
