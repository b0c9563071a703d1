"""The letters of names, for import, typing and search alike. Pure.

Names have letters that few fonts and fewer programs know: rare Han of planes 2 and 3, letters that old GBK systems kept
in the private use area, dots of a dozen kinds inside Uyghur, Tibetan or Yi names. A name is shown as it was written and
found however it is typed. What can't be kept is said, never dropped.
"""

from __future__ import annotations

import re
import unicodedata

# GBK had no places for these 80; its systems put them at U+E815…, in the order of the code's FE50 to FEA0, until
# GB 18030-2005 and -2022 gave them real ones.
_GBK_PRIVATE = (
    "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱"
    "䎬⺻䏝䓖䙡䙌龹䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻"
)
_PRIVATE = {
    **{0xE815 + place: letter for place, letter in enumerate(_GBK_PRIVATE)},
    **{0xE7E7 + place: letter for place, letter in enumerate("〾⿰⿱⿲⿳⿴⿵⿶⿷⿸⿹⿺⿻")},
    0xE7C7: "ḿ",
    0xE7C8: "ǹ",
}
# What stands between the parts of a name, as keyboards have it. The schema's first fill of the keys has the same ones.
DOTS = "·•‧∙⋅・‥●⸱⸳᛫ᐧㆍᆞ.。"
HAN = "々〇⺀-⿕㐀-䶿一-鿿豈-﫿\U00020000-\U0003fffd"  # for a class of a pattern; whole planes, whatever is assigned
LOST_MARKS = "\ufffd〓□?"  # what a program writes for a letter that it doesn't know
_HAN = re.compile(f"[{HAN}]")
_PADDING = re.compile(rf"(?<=[{HAN}])\s+(?=[{HAN}])")
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and signs without any ink
_HIDDEN = {"Cc", "Cf", "Cs"}
_KEPT_SPACES = "\t\n "
_NO_INK = _FILLERS | set(DOTS)
_DROPPED = str.maketrans(dict.fromkeys(DOTS))
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_CAPITALS = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def mapped(text: str) -> str:
    """The same text, with known private-use letters of GBK systems where Unicode has them now."""
    return text.translate(_PRIVATE) if not text.isascii() else text


def visible(text: str) -> str:
    """The text without what has no ink: control and direction marks, fillers. No letter is dropped."""
    if text.isascii() and text.isprintable():
        return text
    plain = mapped(text)
    kept = (c for c in plain if c in _KEPT_SPACES or c.isspace() or unicodedata.category(c) not in _HIDDEN)
    return "".join(c for c in kept if c not in _FILLERS)


def is_letter(one: str) -> bool:
    """Whether one character is a letter that can be seen; every letter of the Han planes is."""
    return (one.isalpha() and one not in _NO_INK) or _HAN.match(one) is not None


def has_letter(text: str) -> bool:
    """Whether there is a letter to be seen in a text."""
    return any(map(is_letter, text))


def as_written(name: str) -> str:
    """A name as it is shown: as it was written, without padding around it and inside short ones («张　三»)."""
    words = visible(name).split()
    padded = any(len(word) == 1 and _HAN.match(word) for word in words)
    shown = " ".join(words)
    return _PADDING.sub("", shown) if padded else shown


def tidy(text: str) -> str:
    """Words that were typed: full-width forms made plain, what has no ink dropped, runs of spaces made one."""
    return " ".join(visible(unicodedata.normalize("NFKC", mapped(text))).split())


def plain(text: str) -> str:
    """Words to compare and to store: tidy, and without padding inside Chinese ones («王　家　沟»)."""
    return _PADDING.sub("", tidy(text))


def search_key(name: str) -> str:
    """What two spellings of one name share: NFKC, no dot of any kind, no space, small Latin letters."""
    bare = _VARIANTS.sub("", visible(unicodedata.normalize("NFKC", mapped(name))))
    # a few signs become dots, or letters with marks, only after what was dropped between them is gone
    bare = unicodedata.normalize("NFKC", "".join(bare.translate(_DROPPED).split()))
    return bare.translate(_CAPITALS)


def unknown_letter(text: str) -> int | None:
    """Where the first character stands that nobody can show (from 0): private use, noncharacters, half a letter."""
    for place, one in enumerate(mapped(text)):
        category = unicodedata.category(one)
        if category in ("Co", "Cs") or one == "\ufffd" or ord(one) & 0xFFFE == 0xFFFE or "\ufdd0" <= one <= "\ufdef":
            return place
    return None


def lost_letter(name: str) -> int | None:
    """The same in a name, where also «?», «□» and «〓» stand for a letter that was lost before («张?三»)."""
    unknown = unknown_letter(name)
    marks = (name.find(mark) for mark in (*LOST_MARKS, "？"))
    places = [place for place in marks if place >= 0]
    return unknown if unknown is not None else min(places, default=None)


def code_point(one: str) -> str:
    """How a letter is called where it can't be shown: «U+E000»."""
    return f"U+{ord(one):04X}"
