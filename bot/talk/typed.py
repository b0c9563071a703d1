"""Words as somebody typed them: a command, a lone face, or anything else. Pure, and the same on every channel."""

from __future__ import annotations

import re

from bot.talk.clean import clean
from bot.talk.messages import In

_COMMAND = re.compile(r"/[A-Za-z]")
_FACE = "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55]"
_FACES = re.compile(rf"(?:{_FACE}|[\U0001f000-\U0001faff][\U000e0020-\U000e007f]*|[\s\u200d\ufe0e\ufe0f])+")


def typed(said: str) -> In:
    """What typed words are, after cleaning: a lone face says nothing, and «/» is a command before a letter only."""
    words = clean(said)
    return face(words) if is_face(words) else In("text", words, command=is_command(words))


def face(words: str = "") -> In:
    """A smile, a sticker, a die: friendly, and no answer to anything."""
    return In("face", words)


def is_command(words: str) -> bool:
    """Whether words begin with a command: `/report`, not «/举报», «/1» or a face's code."""
    return _COMMAND.match(words.lstrip()) is not None


def is_face(words: str) -> bool:
    """Whether words are faces and other emoji alone."""
    return bool(words.strip()) and _FACES.fullmatch(words) is not None
