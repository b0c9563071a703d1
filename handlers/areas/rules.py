"""What an imported cell may be. Pure: text in, clean value or None out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator
from typing import Literal, TypeVar

Status = Literal["active", "away", "closed"]
K = TypeVar("K", bound=Hashable)
STATUS_WORDS: dict[str, Status] = {
    **dict.fromkeys(("", "在册", "正常", "active"), "active"),
    **dict.fromkeys(("外出", "迁出", "away"), "away"),
    **dict.fromkeys(("注销", "销户", "closed"), "closed"),
}
NAME_CHARS = 30
_CARD = re.compile(r"[A-Z0-9][A-Z0-9-]{1,19}")
_PHONE = re.compile(r"1[0-9]{10}|0[0-9]{2,3}[0-9]{7,8}")
_BETWEEN = re.compile(r"[;；,，、|/]+|\s+")
_CHINESE_SPACED = re.compile(r"(?<=[一-鿿])\s+(?=[一-鿿])")


def clean(text: str) -> str:
    """Full-width forms made plain, spaces at the ends and inside Chinese names («张  三») dropped."""
    plain = unicodedata.normalize("NFKC", text)
    shown = "".join(c for c in plain if c in "\t\n " or unicodedata.category(c)[0] != "C")
    return _CHINESE_SPACED.sub("", " ".join(shown.split()))


def card_number(text: str) -> str | None:
    """A card number in capitals, or None if it is none (2 to 20 letters, digits, hyphens)."""
    card = clean(text).upper().replace(" ", "")
    return card if _CARD.fullmatch(card) else None


def phone_number(text: str) -> str | None:
    """Digits only, "" for none given, None if it is no telephone number."""
    digits = re.sub(r"[\s()+-]", "", clean(text))
    digits = digits[2:] if digits.startswith("86") and len(digits) == 13 else digits
    return digits if not digits or _PHONE.fullmatch(digits) else None


def person_name(text: str) -> str | None:
    """A name of at most 30 characters with a letter in it, or None."""
    name = clean(text)
    return name if 0 < len(name) <= NAME_CHARS and any(c.isalpha() for c in name) else None


def several(text: str) -> tuple[str, ...]:
    """A cell with several names (`;`, `、`, commas or spaces between), each once, in order."""
    words = (clean(word) for word in _BETWEEN.split(unicodedata.normalize("NFKC", text)))
    return tuple(dict.fromkeys(word for word in words if word))


def status(text: str) -> Status | None:
    """在册/外出/注销 as the stored status; None if it is another word."""
    return STATUS_WORDS.get(clean(text).lower())


def degrees(text: str) -> float | None:
    """A decimal number of degrees, or None."""
    plain = clean(text).rstrip("°")
    return float(plain) if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,12})?", plain) else None


def village_spellings(name: str) -> tuple[str, ...]:
    """How a village may be written in another table: «王家沟村», «王家沟»."""
    short = name.removesuffix("村")
    return tuple(dict.fromkeys((name, short, short + "村"))) if short else (name,)


def repeats(keys: Iterable[K]) -> Iterator[tuple[int, int]]:
    """Positions of keys that came before, with the position of their first: (again, first)."""
    first: dict[K, int] = {}
    for position, key in enumerate(keys):
        if key in first:
            yield position, first[key]
        else:
            first[key] = position
