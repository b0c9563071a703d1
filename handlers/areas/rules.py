"""What an imported cell may be. Pure: text in, clean value or None out."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Literal, TypeVar

from bot.talk import letters

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
_BETWEEN = re.compile(r"[;；﹔,，﹐、､|｜/／]+|\s+")
_TAIL = re.compile(
    r"(?:卡?的?(?:号)?(?:尾号|末尾|后[四4]位)|尾号|card(?:\s+ending(?:\s+in)?)?\s*(?:\.{2,3}|…)?)"
    r"\s*[:：是为]?\s*(?P<tail>[A-Za-z0-9-]{3,8})(?![A-Za-z0-9-])",
    re.IGNORECASE,
)
_FOUR_DIGITS = re.compile(r"(?P<tail>[0-9]{4})")
_PADDED = re.compile(rf"(?<!\S)([{letters.HAN}])\s+([{letters.HAN}])(?!\S)")
_SURELY_BETWEEN = re.compile(r"[;；﹔,，﹐、､|｜/／]+")
_NONE = re.compile(r"[-–—~\\.·]*|无|没有|none", re.IGNORECASE)


def clean(text: str) -> str:
    """Full-width forms made plain, spaces at the ends and inside Chinese names («张  三») dropped; no letter is."""
    return letters.plain(text)


def card_number(text: str) -> str | None:
    """A card number in capitals, or None if it is none (2 to 20 letters, digits, hyphens)."""
    card = clean(text).upper().replace(" ", "")
    return card if _CARD.fullmatch(card) else None


def card_tail(said: str) -> tuple[str, str]:
    """The last digits of a card in words, as lists of households show them, and the words beside them.

    «尾号0123», «张三 · 王家沟村 · 卡尾号0123», «card …0123», or four digits alone; ("", the words) when there are none.
    """
    found = _TAIL.search(said) or _FOUR_DIGITS.fullmatch(said.strip())
    if found is None:
        return "", said
    rest = said[: found.start()] + " " + said[found.end() :]
    return found["tail"].upper(), " ".join(rest.replace("·", " ").split()) if found.re is _TAIL else ""


def phone_number(text: str) -> str | None:
    """Digits only, "" for none given, None if it is no telephone number."""
    digits = re.sub(r"[\s()+-]", "", clean(text))
    digits = digits[2:] if digits.startswith("86") and len(digits) == 13 else digits
    return digits if not digits or _PHONE.fullmatch(digits) else None


def person_name(text: str) -> str | None:
    """A name as it was written, of at most 30 characters with a letter that can be seen, or None."""
    name = letters.as_written(text)
    return name if len(name) <= NAME_CHARS and letters.has_letter(name) else None


def several(text: str) -> tuple[str, ...]:
    """A cell with several names (`;`, `、`, commas or spaces between), each once, in order."""
    words = (clean(word) for word in _BETWEEN.split(text))
    return tuple(dict.fromkeys(word for word in words if word))


def members(text: str) -> tuple[str, ...]:
    """A cell with a household's members as they were written, each once, in order; a dash or «无» is nobody.

    Spaces part the names only where nothing else does: they may stand inside one («张　三；买买提 吐尔逊»). A single
    letter of Chinese belongs to the next word, as two-letter names are padded.
    """
    sure = _SURELY_BETWEEN.search(text)
    words = _SURELY_BETWEEN.split(text) if sure else _PADDED.sub(r"\1\2", text).split()
    shown = (letters.as_written(word) for word in words)
    return tuple(dict.fromkeys(word for word in shown if not _NONE.fullmatch(word)))


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
