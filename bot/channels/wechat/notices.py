"""What WeChat demands of a template's or a subscription notice's values, and of the menu; and signed links. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from bot.channels.wechat.crypto import signature
from bot.talk.menu import COLUMNS, NAME_WIDTHS, ROWS, width

MENU_KEY_MAX_BYTES, MENU_URL_MAX_BYTES = 128, 1_024
SCENE_MAX_CHARS = 64
WIDE_CUT = "…"
_MOMENT = r"[0-9年月日时分/.:： ~-]"
_LATIN_NAME = re.compile(r"[A-Za-z .'-]+")
_FIELD = re.compile(r"([a-z_]+?)(\d+)")
# What each kind of value may hold, after white space was made single spaces: the longest, and its form.
_FORMS: Mapping[str, tuple[int, str]] = {
    "thing": (20, r".+"),
    "const": (20, r".+"),
    "name": (20, r"[^\d]+"),
    "phrase": (5, r"[\u4e00-\u9fff]+"),
    "character_string": (32, r"[!-~ ]+"),
    "number": (32, r"-?\d+(\.\d+)?"),
    "letter": (32, r"[A-Za-z]+"),
    "symbol": (5, r"[^\w\s]+"),
    "time": (40, rf"{_MOMENT}*\d{{1,2}}[:：]\d{{2}}{_MOMENT}*"),
    "date": (40, rf"\d{_MOMENT}{{3,}}"),
    "amount": (13, r"[^\w\s]?\d{1,10}(\.\d+)?元?"),
    "phone_number": (17, r"[0-9+() -]+"),
    "car_number": (8, r"\w+"),
}
_CUT_KINDS = ("thing", "name", "phrase")


def notice_data(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """A notice's values by their names in the template (`thing1`, `character_string2`), as the API wants them.

    What is too long is cut where the rest is still of use (thing, name, phrase). Raises ValueError with the name for
    a value that WeChat would refuse (47003).
    """
    return {name: {"value": _fitted(name, value)} for name, value in values.items()}


def _fitted(name: str, value: str) -> str:
    found = _FIELD.fullmatch(name)
    form = _FORMS.get(found.group(1)) if found else None
    if found is None or form is None:
        raise ValueError(f"{name}: no such kind of value")
    kind, (longest, pattern) = found.group(1), form
    said = " ".join("".join(one if unicodedata.category(one) != "Cc" else " " for one in value).split())
    if kind == "name" and not _LATIN_NAME.fullmatch(said):
        longest = 10
    if len(said) > longest and kind in _CUT_KINDS:
        said = said[:longest] if kind == "phrase" else said[: longest - 1] + WIDE_CUT
    if len(said) > longest or not re.fullmatch(pattern, said):
        raise ValueError(f"{name}: not a {kind} of at most {longest} characters")
    return said


def check_menu(menu: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError, saying which entry, for a menu that WeChat would refuse: buttons as its API takes them."""
    if not 1 <= len(menu) <= COLUMNS:
        raise ValueError(f"a menu has 1 to {COLUMNS} entries")
    for entry in menu:
        _check_entry(entry, 0)
        below = entry.get("sub_button", ())
        if len(below) > ROWS:
            raise ValueError(f"{entry['name']}: at most {ROWS} entries below")
        for one in below:
            _check_entry(one, 1)


def _check_entry(entry: Mapping[str, Any], level: int) -> None:
    name = entry.get("name", "")
    if not name or width(name) > NAME_WIDTHS[level]:
        raise ValueError(f"{name!r}: a name has 1 to {NAME_WIDTHS[level]} 汉字")
    if entry.get("sub_button"):
        if level:
            raise ValueError(f"{name}: nothing can open below this")
        return
    what, longest = ("url", MENU_URL_MAX_BYTES) if entry.get("type") == "view" else ("key", MENU_KEY_MAX_BYTES)
    if not entry.get("type") or not 1 <= len(str(entry.get(what, "")).encode()) <= longest:
        raise ValueError(f"{name}: needs a type and a {what} of at most {longest} bytes")


def check_scene(scene: str) -> str:
    """A QR code's scene of 1 to 64 characters; raises ValueError."""
    if not re.fullmatch(rf"[!-~]{{1,{SCENE_MAX_CHARS}}}", scene):
        raise ValueError(f"a scene has 1 to {SCENE_MAX_CHARS} letters, digits or signs")
    return scene


def authorize_url(app_id: str, back_to: str, state: str, base_url: str = "https://open.weixin.qq.com") -> str:
    """Where a page sends a phone to learn who holds it (`snsapi_base`: without asking); it comes back to `back_to`
    with `code` and `state` (letters and digits, at most 128).
    """
    query = urlencode(
        {"appid": app_id, "redirect_uri": back_to, "response_type": "code", "scope": "snsapi_base", "state": state},
        quote_via=quote,
    )
    return f"{base_url}/connect/oauth2/authorize?{query}#wechat_redirect"


def js_signature(ticket: str, nonce: str, timestamp_s: int, url: str) -> str:
    """The JS-SDK's signature of a page; what follows `#` in its address does not count."""
    page = url.partition("#")[0]
    return signature(f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp_s}&url={page}")
