"""«我的信息»: who I am here, what I am called, in which language; reminders put off or stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Form, FreeText
from bot.talk.hearing import bare
from bot.talk.messages import Button, Say, Text, Words, text
from bot.talk.spans import MINUTE_MS
from handlers.people.actions import called, private, role_at
from handlers.people.charge import when_awake
from handlers.people.menu import MENU
from handlers.people.rules import MAX_NAME_CHARS, may, tidy_name
from handlers.world import Desk, Turn
from storage.machine import wecom
from storage.people import claims, people

SNOOZED = "people.snoozed"


async def me(turn: Turn, _: str) -> None:
    """`/me`: name, language, roles, households and contacts, each with the button that changes it."""
    private(turn)
    places = turn.world.places
    lines: list[Words] = [
        text("me.name", name=called(turn.person.name)),
        text("me.language", language=text(f"language.{turn.person.language}")),
    ]
    lines += [text("me.role", role=role_at(places, role.name, role.area_id)) for role in turn.person.roles]
    links = await claims.links_of_person(turn.tx, turn.person.id)
    lines += [_household_line(link["relation"], link["householder"], link["village"]) for link in links]
    lines += [text("me.claim") for _ in await claims.pending_of(turn.tx, turn.person.id)]
    contacts = await people.contacts_of(turn.tx, turn.person.id)
    channels = dict.fromkeys(contact["channel"] for contact in contacts)
    lines += [text("me.contact", channel=text(f"channel.{channel}")) for channel in channels]
    called_by = await wecom.name_of(turn.tx, turn.person.id)
    lines += [text("me.wecom", name=called_by)] if called_by else []
    commands = ["name", "language", "household", "proxy", "contacts", "reminders", "privacy", "erase"]
    if turn.world.robots and may(turn.person.roles, "be_called"):
        commands.insert(commands.index("privacy"), "wecom")
    buttons = [Button(text(f"menu.{name}"), f"/{name}") for name in commands]
    rows = tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
    turn.reply(Say(text("me.answer", lines=lines), rows))


def _household_line(relation: str, householder: str, village: str) -> Text:
    key = "me.proxy" if relation == "proxy" else "me.household"
    return text(key, householder=householder, village=village)


async def language(turn: Turn, args: str) -> None:
    """`/language` offers the languages, `/language en` takes one."""
    chosen = _language_said(turn, args)
    if chosen is None:
        names = turn.catalogues.languages
        buttons = tuple((Button(text(f"language.{name}"), f"/language {name}"),) for name in names)
        turn.reply(Say(text("language.ask"), buttons))
        return
    await people.set_person(turn.tx, turn.person.id, language=chosen)
    turn.person = replace(turn.person, language=chosen)
    turn.reply(text("language.set"))


def _language_said(turn: Turn, said: str) -> str | None:
    """The language of a code («en») or of its own name («English»)."""
    render = turn.catalogues[turn.person.language].render
    names = {one: {bare(one), bare(render(text(f"language.{one}")))} for one in turn.catalogues.languages}
    return next((one for one, known in names.items() if bare(said) in known), None)


def names_a_language(turn: Turn, rest: str) -> bool:
    """Whether words name a language that there is."""
    return _language_said(turn, rest) is not None


async def name(turn: Turn, args: str) -> None:
    """`/name 王大娘`: change how I am called."""
    private(turn)
    await _rename(turn, args, None)


async def name_submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The same from the form."""
    await _rename(turn, str(answers["name"]), "name")


def name_said(turn: Turn, said: str) -> str | None:
    """The name that words are, made tidy; None when they can't be one, or are what a button says."""
    wanted = tidy_name(said)
    return None if wanted is None or bare(wanted) in turn.catalogues[turn.person.language].labels else wanted


async def _rename(turn: Turn, said: str, step: str | None) -> None:
    wanted = name_said(turn, said)
    if wanted is None:
        raise PersonError("name_odd", step=step, max=MAX_NAME_CHARS)
    await take_name(turn, wanted)


async def take_name(turn: Turn, wanted: str) -> None:
    """Call the person so from now on."""
    await people.set_person(turn.tx, turn.person.id, name=wanted)
    turn.person = replace(turn.person, name=wanted)
    turn.reply(text("name.set", name=wanted))


async def reminders(turn: Turn, args: str) -> None:
    """`/reminders on|off`; without a word it says how things are and offers the other."""
    private(turn)
    wanted = _on_or_off(turn, args)
    if wanted:
        await people.set_person(turn.tx, turn.person.id, reminders_off=int(wanted == "off"), snoozed_until_ms=0)
        turn.reply(text(f"reminders.{wanted}"))
        return
    row = await people.person(turn.tx, turn.person.id)
    off = row is not None and bool(row["reminders_off"])
    change = Button(text("reminders.turn_on" if off else "reminders.turn_off"), f"/reminders {'on' if off else 'off'}")
    turn.reply(Say(text("reminders.now_off" if off else "reminders.now_on"), ((change,), *_snooze_rows(turn, ""))))


def _on_or_off(turn: Turn, said: str) -> str:
    """«on», «off», and what people say for them («关»); "" for neither."""
    render = turn.catalogues[turn.person.language].render
    return next((one for one in ("on", "off") if bare(said) in render(text(f"said.{one}")).split("|")), "")


def says_on_or_off(turn: Turn, rest: str) -> bool:
    """Whether words say that reminders are wanted, or not."""
    return bool(_on_or_off(turn, rest))


async def no_reminders(turn: Turn, _: str) -> None:
    """«不再提醒» in one go."""
    await reminders(turn, "off")


def _snooze_rows(turn: Turn, command: str) -> tuple[tuple[Button, ...], ...]:
    """The policy's choices for putting reminders off."""
    world = turn.world
    after = f" {command}" if command else ""
    return tuple(
        (Button(_span(minutes), f"/snooze {minutes}{after}"),) for minutes in world.policy.reminders.snooze_minutes
    )


def _span(minutes: int) -> Text:
    if minutes % 1_440 == 0:
        return text("snooze.days", count=minutes // 1_440)
    return text("snooze.hours", count=minutes // 60) if minutes % 60 == 0 else text("snooze.minutes", count=minutes)


async def snooze(turn: Turn, args: str) -> None:
    """`/snooze [MINUTES] [COMMAND]`: no reminders for so long, then one with a button to that command.

    Without minutes the policy's choices are offered.
    """
    private(turn)
    first, _, command = args.strip().partition(" ")
    allowed = turn.world.policy.reminders.snooze_minutes
    minutes = int(first) if first.isascii() and first.isdigit() and len(first) < 8 else 0
    if minutes not in allowed:
        turn.reply(Say(text("snooze.ask"), _snooze_rows(turn, command if minutes else args.strip())))
        return
    until_ms = turn.now_ms + minutes * MINUTE_MS
    await people.set_person(turn.tx, turn.person.id, snoozed_until_ms=until_ms)
    turn.later(
        SNOOZED, f"{SNOOZED}:{turn.person.id}:{until_ms}", until_ms, person_id=turn.person.id, command=command.strip()
    )
    turn.reply(text("snooze.set", at_ms=until_ms))


async def snooze_over(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: the time of a snooze is over; remind, unless it was put off again or reminders were stopped."""
    row = await people.person(desk.tx, payload["person_id"])
    if row is None or row["reminders_off"] or row["snoozed_until_ms"] != payload["fire_ms"]:
        return
    named = [item.command for item in MENU if item.command == payload["command"]]
    rows = tuple((Button(text(f"menu.{command}"), f"/{command}", "primary"),) for command in named)
    await desk.tell(row["id"], Say(text("snooze.over"), rows), when_awake(desk, f"snoozed.{payload['fire_ms']}"))


NAME = Form("name", (FreeText(id="name", max_chars=4 * MAX_NAME_CHARS),), name_submit, review=False)
