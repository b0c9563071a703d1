"""Messages as WeChat shows them: plain text in which the buttons are numbered, and back from «2» to a button. Pure.

What is shown together (one passive reply for several messages) is numbered through. Where a number would be taken
for the answer itself (how many kilograms, which day, a label that is a number) the choices have letters. The engine's
own numbers of a list (`bot.talk.hearing.typed_choice`) are the same ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.channels.base import Together, Unclear
from bot.i18n import Catalogue
from bot.talk.hearing import CHOOSE, bare
from bot.talk.messages import Out, text
from bot.talk.numerals import QuantityError, parse_number
from bot.talk.typed import is_command

TEXT_MAX_BYTES = 2_048
BETWEEN = "\n————\n"  # messages that go out together
DEVICE = "#"  # begins the data of a button that the person's device answers itself
ANSWERED_IN_WORDS = ("number", "weight", "percent", "text", "date")
LONGEST_LABEL = 40  # what is longer is no answer by a label
NO_SERIES = "000"  # begins no mark: «00042» is a number of something
LONG_NUMBER = 4  # a label of so many digits (a case's) is not taken for a choice's number
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NEWS_MARK = re.compile(r"\s*(0\d{2,4})(?![\d.])")
_ORDINAL = re.compile(r"(?:回复|选择?|按)?\s*第?\s*(.{1,8}?)\s*(?:个|项|号|条)?\s*[。.、,，)）!！]*")
_PRINTED = re.compile(r"[【\[(（]?\s*([0-9]{1,5}|[A-Za-z]{1,2})\s*[】\])）、.．:：,，]?\s*(.+)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!])")
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A button as it is shown: `mark` is what to answer with."""

    mark: str
    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes out: words in parts that WeChat takes (none when there are only pictures), and pictures' media ids."""

    parts: tuple[str, ...]
    choices: tuple[Numbered, ...]
    media: tuple[str, ...]


def opens_question(out: Out) -> bool:
    """Whether numbers answered from now on are for this message (and no longer for an earlier one)."""
    return bool(out.rows or out.ask)


def choices_of(outs: Sequence[Out], series: int = 0) -> tuple[Numbered, ...]:
    """The buttons of messages shown together, in reading order, without those a device answers itself.

    Those of a reply are 1, 2, 3 or A, B, C. What went by itself has a `series` and 011, 012: several such
    stand beside each other, and an answer to one must not be taken for another's.
    """
    buttons = [
        (label, data) for out in outs for row in out.rows for label, data, _ in row if not data.startswith(DEVICE)
    ]
    lettered = any(out.ask in ANSWERED_IN_WORDS and not _offers(out) for out in outs)
    lettered = lettered or any(bare(_narrow(label)).isdigit() and len(label) < LONG_NUMBER for label, _ in buttons)
    return tuple(
        Numbered(_mark(at, series, lettered=lettered), label, data) for at, (label, data) in enumerate(buttons)
    )


def _mark(at: int, series: int, *, lettered: bool) -> str:
    if series:  # 011, 012; with two digits of either 00110, 01001: no two choices have the same
        return f"0{series}{at + 1}" if series < 10 and at < 9 else f"0{series:02}{at + 1:02}"
    return _letters(at) if lettered else str(at + 1)


NO_MARK_DIGITS = 4  # no mark of ours has so many: «0123» is the end of a number that we show elsewhere


def choice_of(said: str, shown: Sequence[Together]) -> str | Unclear | None:
    """The data of the button that typed words stand for: «2», «２», «二», «第2个», «b», «012», or a label; None when
    none, Unclear when it could be meant for several, or for one that is gone.

    `shown`: what that address was sent last, newest first. A plain number or letter is for the newest reply that
    opens a question, a label for that too, else for the one message that has it.
    """
    plain = bare(_narrow(said))
    if not plain or is_command(said):
        return None
    if (data := _printed(said, shown)) is not None:
        return data
    mark = _mark_of(said)
    news = [one for one in shown if one.series]
    open_reply = next((one for one in shown if not one.series and any(map(opens_question, one.outs))), None)
    if mark.startswith("0") and len(mark) > 2 and len(mark) != NO_MARK_DIGITS and not mark.startswith(NO_SERIES):
        return _marked(mark, news) or Unclear("wechat.number_gone")
    if mark:
        data = _marked(mark, [open_reply] if open_reply else ())
        if data is None and len(mark) > 1 and mark.isdigit():
            data = _marked(f"0{mark}", news)  # the zero was left out
        if data is None and mark.isdigit() and open_reply is None and news:
            own = _mark(int(mark) - 1, news[0].series, lettered=False)
            data = _marked(own, news) if len(news) == 1 else None
            return data or Unclear("wechat.whole_number")
        if data is not None:
            return data
    return _labelled(plain, open_reply, shown) if len(plain) <= LONGEST_LABEL else None


def _printed(said: str, shown: Sequence[Together]) -> str | None:
    """The choice whose mark and label are both typed, as they were shown («【3】河道垃圾», «3、河道垃圾»)."""
    pair = _PRINTED.fullmatch(_narrow(said).strip())
    if pair is None:
        return None
    mark, label = pair[1].upper(), bare(pair[2])
    for together in shown:
        for one in choices_of(together.outs, together.series):
            if one.mark == mark and bare(_narrow(one.label)) == label:
                return one.data
    return None


def _marked(mark: str, shown: Sequence[Together]) -> str | None:
    choices = (one for together in shown for one in choices_of(together.outs, together.series))
    return next((one.data for one in choices if one.mark == mark), None)


def _labelled(plain: str, open_reply: Together | None, shown: Sequence[Together]) -> str | Unclear | None:
    """A label of the open question; else of a message that went by itself, or a command of an older reply."""

    def named(together: Together) -> list[str]:
        choices = choices_of(together.outs, together.series)
        return list(dict.fromkeys(one.data for one in choices if bare(_narrow(one.label)) == plain))

    found = named(open_reply) if open_reply is not None else []
    if found:
        return found[0] if len(found) == 1 else None
    of_news = list(dict.fromkeys(data for one in shown if one.series for data in named(one)))
    if of_news:
        return of_news[0] if len(of_news) == 1 else Unclear("wechat.which_number")
    older = (data for one in shown if not one.series for data in named(one) if data.startswith("/"))
    return next(older, None)


def shown(outs: Sequence[Out], catalogue: Catalogue, *, series: int = 0, most_bytes: int = TEXT_MAX_BYTES) -> Rendered:
    """Messages that go out together as one, in the person's language."""
    choices = list(choices_of(outs, series))
    blocks = []
    for out in outs:
        count = sum(not data.startswith(DEVICE) for row in out.rows for _, data, _ in row)
        own, choices = choices[:count], choices[count:]
        blocks.append(_block(out, own, catalogue))
    numbered = choices_of(outs, series)
    if numbered:
        how = text("wechat.answer_number") if numbered[0].mark.isdigit() else text("wechat.answer_letter")
        blocks[-1] += f"\n\n{catalogue.render(how)}"
    words = inert(BETWEEN.join(block for block in blocks if block.strip()))
    media = tuple(one for out in outs for one in out.media)
    return Rendered(tuple(parts_of(words, most_bytes)), numbered, media)


def _block(out: Out, own: Sequence[Numbered], catalogue: Catalogue) -> str:
    lines = []
    for label, data in ((label, data) for row in out.rows for label, data, _ in row if data.startswith(DEVICE)):
        key = f"wechat.device.{data[len(DEVICE) :]}"
        lines.append(catalogue.render(text(key)) if key in catalogue else label)
    lines += [f"【{choice.mark}】{choice.label}" for choice in own]
    links = [f"{label}：{url}" if label else url for label, url in out.links]
    return "\n".join(part for part in (_typed(out.text, catalogue), *links, "\n".join(lines)) if part.strip())


def _typed(words: str, catalogue: Catalogue) -> str:
    """What says «press …» says «answer …» where nothing can be pressed."""
    for pair in catalogue.render(text("wechat.instead")).split("|"):
        pressed, _, typed = pair.partition("=")
        words = words.replace(pressed, typed) if pressed else words
    return words


def inert(words: str) -> str:
    """Words in which no `<a …>` is a link to WeChat: what one person wrote is shown to others."""
    return _TAG.sub("＜", words)


def _offers(out: Out) -> bool:
    """Whether a question offers answers of its own, which the engine numbers."""
    return any(data.split(".", 2)[-1].startswith(CHOOSE) for row in out.rows for _, data, _ in row)


def _letters(at: int) -> str:
    return LETTERS[at] if at < len(LETTERS) else _letters(at // len(LETTERS) - 1) + LETTERS[at % len(LETTERS)]


def _narrow(said: str) -> str:
    return unicodedata.normalize("NFKC", said[:200])


def _mark_of(said: str) -> str:
    """«２», «二», «第二个», «2.» as 2; «b» as B; "" for what is no mark."""
    with_more = _NEWS_MARK.match(_narrow(said)) if len(said) <= LONGEST_LABEL else None
    if with_more is not None:
        return with_more[1]  # «011 属实»
    found = _ORDINAL.fullmatch(_narrow(said).strip())
    if found is None:
        return ""
    inner = found.group(1).strip("()（）[]【】「」『』\"'“”")
    if inner.isascii() and inner.isalpha():
        return inner.upper()
    if _NEWS_MARK.fullmatch(inner):
        return inner  # «选 011»: not the eleventh
    try:
        number = parse_number(inner)
    except QuantityError:
        return ""
    return str(int(number)) if number == int(number) else ""


def parts_of(words: str, most_bytes: int = TEXT_MAX_BYTES) -> list[str]:
    """Words cut into parts of at most so many bytes of UTF-8, at line ends if possible and never inside a character
    or an emoji of several.
    """
    parts, rest = [], words.strip("\n")
    while len(rest.encode()) > most_bytes:
        room = len(rest.encode()[:most_bytes].decode("utf-8", "ignore"))
        line = rest.rfind("\n", 1, room + 1)
        cut = line if line >= room // 2 else _boundary(rest, room)
        parts.append(rest[:cut].rstrip("\n"))
        rest = rest[cut:].lstrip("\n")
    return [part for part in (*parts, rest) if part.strip()]


def _boundary(words: str, room: int) -> int:
    """The last place up to `room` where a cut parts nothing that belongs together; `room` when there is none."""
    for at in range(room, 0, -1):
        if not _joined(words, at):
            return at
    return room


def _joined(words: str, at: int) -> bool:
    """Whether the characters before and after a place are shown as one."""
    before, after = words[at - 1], words[at : at + 1]
    if not after:
        return False
    if before == _JOINER or after == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if _is_modifier(after):
        return True
    if _is_flag(before) and _is_flag(after):
        flags = len(words[:at]) - len(words[:at].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        return flags % 2 == 1
    return before == "\r" and after == "\n"


def _is_modifier(character: str) -> bool:
    """A skin tone, or a tag of a flag's region."""
    return 0x1F3FB <= ord(character) <= 0x1F3FF or 0xE0020 <= ord(character) <= 0xE007F


def _is_flag(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
