"""Catalogues by symbolic message ids, and how numbers, money, weights and times are printed.

`locales/<language>/*.po` are read with Babel at the start. A placeholder may carry a unit: `{weight_g:kg}`,
`{amount_fen:yuan}`, `{at_ms:day|time|moment}`, `{kept_days:span}`, `{rate_bp:percent}`. An id may list alternatives:
`a.b|c.d`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from bot.talk.hearing import BACK, CANCEL, CONFIRM, DONE, FILLER, RETYPE, SKIP, SUBMIT, bare
from bot.talk.messages import Out, Say, Text, Words
from bot.talk.quantity import format_kg, format_yuan

YEAR_DAYS = 365
HALF_YEAR_DAYS = range(180, 185)
LOCALES = Path(__file__).parent.parent / "locales"
DEFAULT_LANGUAGE = "zh_CN"
WEEKDAYS = {
    "zh_CN": ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}
_LABEL = re.compile(r"^(?:button|menu|phrase|words)\.|\.button\.|\.option\.|\.(?:submit|yes|no)$")
VERBS = {
    "back": BACK,
    "skip": SKIP,
    "cancel": CANCEL,
    "done": DONE,
    "submit": SUBMIT,
    "confirm": CONFIRM,
    "retype": RETYPE,
    "yes": "=1",
    "no": "=0",
    "filler": FILLER,
}
Part = tuple[str, str | None, str]


class Catalogue:
    """The texts of one language. A missing text is a defect: `render` raises KeyError."""

    def __init__(self, language: str, texts: Mapping[str, str | tuple[str, ...]], zone: ZoneInfo) -> None:
        self.language = language
        self._texts = texts
        self._zone = zone
        self._parts: dict[str, list[Part]] = {}
        self._plain: dict[str, str] = {}
        self._specs: dict[str, Callable[[Any], str]] = {
            "": str,
            "kg": format_kg,
            "yuan": format_yuan,
            "percent": lambda value: f"{value / 100:g}%",
            "number": lambda value: f"{value:,}",
            "day": lambda value: f"{self._local(value):%Y-%m-%d}",
            "date": self._date,
            "time": lambda value: f"{self._local(value):%H:%M}",
            "moment": lambda value: f"{self._local(value):%m-%d %H:%M}",
            "m3": lambda value: f"{value / 1000:g}",
            "span": self._span,
        }

    def __contains__(self, key: str) -> bool:
        return any(one in self._texts for one in key.split("|"))

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone)

    def _date(self, ms: int) -> str:
        local = self._local(ms)
        day = f"{local.month}月{local.day}日" if self.language == "zh_CN" else f"{local:%d %b}"
        return f"{day} {WEEKDAYS.get(self.language, WEEKDAYS['en'])[local.weekday()]}"

    def _span(self, days: int) -> str:
        """A number of days as people say it: half a year, 2 years, 90 days."""
        chinese = self.language == "zh_CN"
        if days in HALF_YEAR_DAYS:
            return "半年" if chinese else "half a year"
        if days % YEAR_DAYS == 0:
            years = days // YEAR_DAYS
            return f"{years}年" if chinese else f"{years} year{'s' if years > 1 else ''}"
        return f"{days}天" if chinese else f"{days} days"

    def _template(self, key: str, fields: Mapping[str, Any]) -> str:
        for one in key.split("|"):
            found = self._texts.get(one)
            if found is not None:
                return found if isinstance(found, str) else found[0 if fields.get("count") == 1 else -1]
        raise KeyError(f"no text {key!r} in {self.language}")

    def render(self, words: Words | Sequence[Words]) -> str:
        """Words, or a list of them on lines, in this language."""
        if isinstance(words, str):
            return words
        if isinstance(words, Text) and not words.fields:
            plain = self._plain.get(words.key)
            if plain is None:
                plain = self._plain[words.key] = self._filled(words)
            return plain
        if not isinstance(words, Text):
            return "\n".join(self.render(one) for one in words)
        return self._filled(words)

    def _filled(self, words: Text) -> str:
        template = self._template(words.key, words.fields)
        parts = self._parts.get(template)
        if parts is None:
            parts = [(literal, name, spec or "") for literal, name, spec, _ in string.Formatter().parse(template)]
            self._parts[template] = parts
        return "".join(
            literal if name is None else literal + self._field(words.fields[name], spec)
            for literal, name, spec in parts
        )

    def _field(self, value: Any, spec: str) -> str:
        if isinstance(value, (Text, list, tuple)):
            return self.render(value)
        return self._specs[spec](value)

    def out(self, say: Say) -> Out:
        """A message in this language, ready to send."""
        return Out(
            self.render(say.text),
            tuple(tuple((self.render(b.label), b.data, b.style) for b in row) for row in say.rows),
            say.ask,
            say.media,
            tuple((self.render(link.label), link.url) for link in say.links),
            card=say.card,
        )

    @cached_property
    def control_words(self) -> dict[str, tuple[str, ...]]:
        """What people type instead of pressing a control, to the engine's verbs: «对» may confirm or submit."""
        found: dict[str, tuple[str, ...]] = {}
        for name, verb in VERBS.items():
            for word in str(self._texts.get(f"words.{name}", "")).split("|"):
                found[bare(word)] = (*found.get(bare(word), ()), verb)
        return found

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every fixed label of a button, and what people type for one or for a command: bare, as typed words are."""
        found: set[str] = set()
        for key, template in self._texts.items():
            if _LABEL.search(key) and isinstance(template, str) and "{" not in template:
                found.update(bare(word) for word in template.split("|"))
        return frozenset(found)

    def synonyms(self, prefix: str) -> dict[str, str]:
        """Typed words to ids: each text under `prefix` is a «|»-separated list of what people type."""
        found: dict[str, str] = {}
        for key, template in self._texts.items():
            if key.startswith(prefix) and isinstance(template, str):
                for word in template.split("|"):
                    found[bare(word)] = key[len(prefix) :]
        return found


def read_texts(folder: Path) -> dict[str, str | tuple[str, ...]]:
    """All messages of one language's folder; raises ValueError on an id that two files define."""
    texts: dict[str, str | tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        for message in catalogue:
            if not message.id:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            if key in texts:
                raise ValueError(f"{path}: {key} is defined twice")
            texts[key] = tuple(message.string) if isinstance(message.string, (tuple, list)) else message.string or ""
    return texts


class Catalogues:
    """Every language that has a folder; an unknown language falls back to the township's."""

    def __init__(self, zone: ZoneInfo, default: str = DEFAULT_LANGUAGE, folder: Path = LOCALES) -> None:
        self.default = default
        self._all = {
            path.name: Catalogue(path.name, _texts_of(path), zone) for path in sorted(folder.iterdir()) if path.is_dir()
        }

    def __getitem__(self, language: str) -> Catalogue:
        return self._all.get(language) or self._all[self.default]

    @property
    def languages(self) -> list[str]:
        """The languages there are."""
        return list(self._all)

    def nearest(self, tag: str) -> str:
        """The catalogue for a language tag such as zh-hans, zh_TW or en-GB."""
        short = tag.replace("-", "_").lower().split("_")[0]
        return next((name for name in self._all if name.lower().split("_")[0] == short), self.default)


@lru_cache(maxsize=8)
def _texts_of(folder: Path) -> dict[str, str | tuple[str, ...]]:
    return read_texts(folder)
