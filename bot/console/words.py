"""What the command line says, in the operator's language.

Its texts are in `locales/<language>/console/`, apart from those of the chats: a process that serves keeps only what
people there are told.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.i18n import DEFAULT_LANGUAGE, LOCALES, Catalogue, read_texts
from bot.settings import ENV_FILE, LANGUAGES, language_named
from bot.talk.messages import Text, Words

SAID = re.compile(rb"^\s*(?:export\s+)?LANGUAGE\s*=\s*['\"]?([\w.:@-]+)", re.MULTILINE | re.IGNORECASE)
SYSTEM = ("LC_ALL", "LC_MESSAGES", "LANG")
ZONE = ZoneInfo("Asia/Shanghai")  # no text here tells a time by itself
CHINESE, ENGLISH = DEFAULT_LANGUAGE, "en"


class OperatorError(Exception):
    """What whoever runs the program can mend. `str` of it is the text `failure.<code>`, filled with the fields."""

    def __init__(self, code: str, /, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields

    def __str__(self) -> str:
        return say(f"failure.{self.code}", **self.fields)


def operator_language() -> str:
    """The language of LANGUAGE (the environment's, else that of `.env`); without one the system's."""
    said = language_named(os.environ.get("LANGUAGE", "")) or language_named(_in_env_file())
    if said in LANGUAGES:
        return said
    system = next((value for name in SYSTEM if (value := os.environ.get(name, ""))), "")
    return CHINESE if system.lower().startswith("zh") else ENGLISH


def _in_env_file() -> str:
    """LANGUAGE as `.env` has it, also when the rest of the file can't be read as text."""
    try:
        found = SAID.search(Path(ENV_FILE).read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def say(key: str, /, **fields: object) -> str:
    """The text of that id in the operator's language."""
    return render(Text(key, fields))


def render(words: Words) -> str:
    """Words of the command line in the operator's language."""
    return _catalogue(operator_language()).render(words)


def is_said(key: str) -> bool:
    """Whether there is a text of that id."""
    return key in _catalogue(operator_language())


@lru_cache(maxsize=2)
def _catalogue(language: str) -> Catalogue:
    return Catalogue(language, read_texts(LOCALES / language / "console"), ZONE)
