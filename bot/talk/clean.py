"""Text as people meant it: one form of each character, no control characters, no marks that turn a line around."""

from __future__ import annotations

import unicodedata

KEPT = "\n\t"
BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


def clean(words: str) -> str:
    """NFC, without control characters (but line ends and tabs), bidirectional marks and lone surrogates."""
    if words.isascii() and words.isprintable():
        return words
    plain = unicodedata.normalize("NFC", words.replace("\r\n", "\n").translate(BIDI))
    return "".join(one for one in plain if one in KEPT or unicodedata.category(one) not in ("Cc", "Cs"))
