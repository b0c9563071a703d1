"""A message as a WeCom robot says it: markdown, or plain text when people are called by their mobile number. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.wechat_words import parts_of
from bot.talk.messages import Out

MARKDOWN_MAX_BYTES = 4_096
TEXT_MAX_BYTES = 2_048
CALL_MAX_BYTES = 512


@dataclass(frozen=True, slots=True)
class Mentions:
    """Whom a message calls: by user id, or by mobile number where the id is not known."""

    users: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()


def messages_of(out: Out, mentions: Mentions = Mentions()) -> list[Mapping[str, Any]]:
    """The messages for a letter's words, in order; a robot's buttons can't be pressed, so they are left out."""
    if not (out.text.strip() or out.links):
        return []
    return _plain(out, mentions) if mentions.mobiles else _markdown(out, mentions)


def _markdown(out: Out, mentions: Mentions) -> list[Mapping[str, Any]]:
    title, _, rest = _inert(out.text.strip()).partition("\n")
    lines = [f"**{title}**", rest] if rest else [title]
    lines += [f"[{_inert(label) or url}]({url.replace('(', '%28').replace(')', '%29')})" for label, url in out.links]
    call = ""
    for user in mentions.users:
        call += f"<@{user}>" if len(f"{call}<@{user}>".encode()) <= CALL_MAX_BYTES else ""
    return [
        {"msgtype": "markdown", "markdown": {"content": part}}
        for part in _called("\n".join(lines), call, MARKDOWN_MAX_BYTES)
    ]


def _called(words: str, call: str, most_bytes: int) -> list[str]:
    """Parts of the words, the last with the call, all within the limit."""
    parts = parts_of(words, most_bytes - len(call.encode()) - 1)
    return [*parts[:-1], f"{parts[-1]}\n{call}"] if call and parts else parts


def _plain(out: Out, mentions: Mentions) -> list[Mapping[str, Any]]:
    words = "\n".join([_inert(out.text.strip()), *(f"{_inert(label)}：{url}" for label, url in out.links)])
    messages: list[Mapping[str, Any]] = [
        {"msgtype": "text", "text": {"content": part}} for part in parts_of(words, TEXT_MAX_BYTES)
    ]
    last = messages[-1]["text"]
    last["mentioned_mobile_list"] = list(mentions.mobiles)
    if mentions.users:
        last["mentioned_list"] = list(mentions.users)
    return messages


def _inert(words: str) -> str:
    """What people wrote makes no link, calls nobody and changes no type."""
    return words.replace("<", "＜").replace("](", "] (").replace("**", "＊＊").replace("`", "'")
