"""«企业微信 13800000001»: whoever answers for an area says by what they may be called in its WeCom group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Form, FreeText, YesNo
from bot.talk.messages import Button, Say, text
from handlers.people.actions import private
from handlers.robots import rules
from handlers.world import Turn
from storage.machine import wecom

FORM = "wecom"
OFF = "off"
LARGEST_CHARS = 80


def _is_off(turn: Turn, said: str) -> bool:
    """Whether words want no name any more («off», «取消»)."""
    off = turn.catalogues[turn.person.language].render(text("said.wecom_off"))
    return said.casefold() in (OFF, *off.split("|"))


def names_somebody(turn: Turn, rest: str) -> bool:
    """Whether words may be a name of somebody in WeCom, or want none any more."""
    return rest.isascii() or _is_off(turn, rest) or rules.read_name(rest) is not None


async def command(turn: Turn, args: str) -> None:
    """`/wecom [NAME or off]`: what is known, another name (after agreeing to it), or none any more."""
    private(turn)
    said = args.strip()
    if _is_off(turn, said):
        await wecom.forget(turn.tx, turn.person.id)
        turn.reply(text("wecom.forgotten"))
        return
    if not turn.world.robots:
        raise PersonError("wecom_no_robots")
    if said:
        turn.open(FORM, name=_read(said, None))
        return
    known = await wecom.name_of(turn.tx, turn.person.id)
    if known:
        turn.reply(Say(text("wecom.known", name=known), ((Button(text("wecom.off"), f"/wecom {OFF}"),),)))
    else:
        turn.open(FORM)


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Keep the name, if its owner agrees to what it is for."""
    if not answers["agree"]:
        turn.reply(text("wecom.refused"))
        return
    name = _read(str(answers["name"]), "name")
    await wecom.put_name(turn.tx, turn.person.id, name, now_ms=turn.now_ms)
    turn.reply(text("wecom.noted", name=name))


def _read(said: str, step: str | None) -> str:
    name = rules.read_name(said)
    if name is None:
        raise PersonError("wecom_odd", step=step, said=said[:20])
    return name


WECOM = Form(
    FORM,
    (
        YesNo(id="agree"),
        FreeText(id="name", max_chars=LARGEST_CHARS, when=lambda answers: answers.get("agree", True)),
    ),
    submit,
    right=rules.RIGHT,
    review=False,
)
