"""A letter as a WeCom robot says it: markdown, and who is known by a mobile number called in a text after it. Pure.

WeCom's markdown calls people by their user id only, its plain text by their mobile number too (which people know of
themselves; their id they mostly don't). It has headings, bold, quotes and links, and no lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.channels.wechat.words import parts_of
from bot.talk.messages import Out

MARKDOWN_MAX_BYTES = 4_096
TEXT_MAX_BYTES = 2_048
CALL_MAX_BYTES = 2_048
_MOBILE = re.compile(r"1[0-9]{10}")
_HEADING = re.compile(r"【.+】|\[.+\]")
_FIGURE = re.compile(r"(?<![^ ])([0-9][0-9,]*(?:[./][0-9]+)?)(?![^ ])")  # one that stands by itself; no day, no time
_LEADING = {"#": "＃", ">": "＞"}


def messages_of(out: Out) -> list[Mapping[str, Any]]:
    """The messages for a letter's words, in order; a robot's buttons can't be pressed, so they are left out."""
    if not (out.text.strip() or out.links):
        return []
    mobiles = [one for one in out.mentions if _MOBILE.fullmatch(one)]
    messages = _markdown(out, [one for one in out.mentions if one not in mobiles])
    return [*messages, _calling(out, mobiles)] if mobiles else messages


def _markdown(out: Out, users: Sequence[str]) -> list[Mapping[str, Any]]:
    links = [f"[{_inert(label) or url}]({url.replace('(', '%28').replace(')', '%29')})" for label, url in out.links]
    words = "\n".join([*_lines(out.text.strip()), *links])
    call, *more = _calls(users) or [""]
    parts = parts_of(words, MARKDOWN_MAX_BYTES - len(call.encode()) - 1)
    if call and parts:
        parts[-1] += f"\n{call}"
    return [{"msgtype": "markdown", "markdown": {"content": part}} for part in (*parts, *more)]


def _lines(text: str) -> Iterable[str]:
    """The first line as the headline, headings bold, what stands under one as a quote, figures bold."""
    title, *rest = _inert(text).split("\n")
    if not rest:
        return [title]
    found, quoted = [f"### {title}"], False
    for line in rest:
        if _HEADING.fullmatch(line):
            quoted = True
            found.append(f"**{line}**")
            continue
        quoted = quoted and bool(line.strip())
        bold = _FIGURE.sub(r"**\1**", line)
        found.append(f"> {bold}" if quoted else bold)
    return found


def _calls(users: Sequence[str]) -> list[str]:
    """Everybody called, in lines that leave room for words."""
    lines: list[str] = []
    for one in (f"<@{user}>" for user in users):
        if lines and len(f"{lines[-1]}{one}".encode()) <= CALL_MAX_BYTES:
            lines[-1] += one
        else:
            lines.append(one)
    return lines


def _calling(out: Out, mobiles: Sequence[str]) -> Mapping[str, Any]:
    """The headline once more, for those who are called by their number."""
    said = (*out.text.split("\n"), *(one for link in out.links for one in link))
    head = parts_of(_inert(next(line for line in said if line.strip())), TEXT_MAX_BYTES)[0]
    return {"msgtype": "text", "text": {"content": head, "mentioned_mobile_list": list(mobiles)}}


def _inert(words: str) -> str:
    """What people wrote makes no link, calls nobody and changes no type."""
    plain = words.replace("<", "＜").replace("](", "] (").replace("**", "＊＊").replace("`", "'")
    return "\n".join(_LEADING.get(line[:1], line[:1]) + line[1:] for line in plain.split("\n"))
