"""What the real WeChat refuses, with its codes. Written from its documents, not from the program's own rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.wechat_world import WeChatError, World

TEXT_MAX_BYTES = 2_048
IMAGE_MAX_BYTES = 2 * 1024 * 1024
_VALUES = {
    "thing": r".{1,20}",
    "const": r".{1,20}",
    "character_string": r"[\x20-\x7e]{1,32}",
    "number": r"-?[\d.]{1,32}",
    "phrase": r"[\u4e00-\u9fff]{1,5}",
    "name": r"[^\x00-\x7f]{1,10}|.{1,10}|[A-Za-z .'-]{1,20}",
    "time": r"[\d年月日:~ -]{4,}",
    "date": r"[\d年月日:./~ -]{4,}",
    "amount": r"\S?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[\d+() -]{1,17}",
}


def check_text(world: World, words: Any) -> str:
    """Words of a message, or 44004 / 45002."""
    if not isinstance(words, str) or not words.strip():
        world.resent("an empty text")
        raise WeChatError(44004, "empty content")
    if len(words.encode()) > TEXT_MAX_BYTES:
        world.resent(f"a text of {len(words.encode())} bytes")
        raise WeChatError(45002, "content size out of limit")
    return words


def check_image(world: World, content: bytes) -> None:
    """A JPEG, PNG or GIF that is not too large, or 40005 / 40009."""
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")):
        world.resent("a picture that is none")
        raise WeChatError(40005, "invalid file type")
    if len(content) > IMAGE_MAX_BYTES:
        world.resent(f"a picture of {len(content)} bytes")
        raise WeChatError(40009, "invalid image size")


def check_values(world: World, template_id: str, data: Any) -> dict[str, str]:
    """A template's values, or 40037 / 47003."""
    if template_id not in world.templates:
        world.resent(f"no such template: {template_id!r}")
        raise WeChatError(40037, "invalid template_id")
    values = {name: str(one.get("value", "")) for name, one in data.items()} if isinstance(data, Mapping) else {}
    for name in world.templates[template_id]:
        form = _VALUES[re.sub(r"\d+$", "", name)]
        if not re.fullmatch(form, values.get(name, "")):
            world.resent(f"{name} can't be {values.get(name)!r}")
            raise WeChatError(47003, f"argument invalid! data.{name}.value invalid")
    if set(values) != set(world.templates[template_id]):
        world.resent(f"values of another template: {sorted(values)}")
        raise WeChatError(47003, "argument invalid! data.unknown")
    return values


def check_menu(world: World, buttons: Any) -> list[dict[str, Any]]:
    """A menu, or 40016 and its kin."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        world.resent("a menu with more than 3 entries or none")
        raise WeChatError(40016, "invalid button size")
    for button in buttons:
        below = button.get("sub_button", [])
        if len(below) > 5:
            world.resent("more than 5 entries below another")
            raise WeChatError(40023, "invalid sub button size")
        for one, longest in [(button, 16), *((one, 60) for one in below)]:
            if not 1 <= len(one.get("name", "").encode()) <= longest:
                world.resent(f"a menu's name is too long: {one.get('name')}")
                raise WeChatError(40018, "invalid button name size")
            if not one.get("sub_button") and len(str(one.get("key", one.get("url", ""))).encode()) > 1024:
                world.resent("a menu's key is too long")
                raise WeChatError(40019, "invalid button key size")
    return buttons
