"""The methods of the fake WeChat: each takes the world, the query, the JSON body and the file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.wechat_checks import check_image, check_menu, check_text, check_values
from tests.fakes.wechat_world import Heard, WeChatError, World

OPEN = {"/cgi-bin/stable_token", "/cgi-bin/token", "/sns/oauth2/access_token"}  # without a token
FOR_ALL = OPEN | {"/cgi-bin/ticket/getticket"}  # an unverified account has these, too
CODE_MS = 300_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A call."""

    query: Mapping[str, str]
    body: Mapping[str, Any]
    file: tuple[str, bytes] | None = None


Method = Callable[[World, Asked], dict[str, Any]]


def _credentials(world: World, app_id: Any, secret: Any) -> None:
    if app_id != world.app_id:
        raise WeChatError(40013, "invalid appid")
    if secret != world.secret:
        raise WeChatError(40125, "invalid appsecret")


def stable_token(world: World, asked: Asked) -> dict[str, Any]:
    _credentials(world, asked.body.get("appid"), asked.body.get("secret"))
    token, seconds = world.stable_token(bool(asked.body.get("force_refresh")))
    return {"access_token": token, "expires_in": seconds}


def old_token(world: World, asked: Asked) -> dict[str, Any]:
    world.resent("/cgi-bin/token is isolated from stable_token")
    raise WeChatError(40001, "use stable_token")


def custom_send(world: World, asked: Asked) -> dict[str, Any]:
    body = asked.body
    contact = world.contact(str(body.get("touser")))
    kind = str(body.get("msgtype"))
    part = body.get(kind)
    if kind not in ("text", "image", "video") or not isinstance(part, dict):
        world.resent(f"a customer message of type {kind!r}")
        raise WeChatError(40008, "invalid message type")
    if kind == "text":
        heard = Heard("customer", check_text(world, part.get("content")))
    else:
        heard = Heard("customer", picture=world.file(str(part.get("media_id"))).content)
    world.take_window(contact)
    contact.hear(heard)
    return {}


def template_send(world: World, asked: Asked) -> dict[str, Any]:
    contact = world.contact(str(asked.body.get("touser")))
    values = check_values(world, str(asked.body.get("template_id")), asked.body.get("data"))
    if not contact.following:
        raise WeChatError(43004, "require subscribe")
    message_id = str(world.next_id())
    contact.hear(
        Heard(
            "template", "\n".join(values.values()), values=values, url=asked.body.get("url", ""), message_id=message_id
        )
    )
    return {"msgid": int(message_id)}


def bizsend(world: World, asked: Asked) -> dict[str, Any]:
    contact = world.contact(str(asked.body.get("touser")))
    template_id = str(asked.body.get("template_id"))
    values = check_values(world, template_id, asked.body.get("data"))
    if contact.accepted.get(template_id, 0) <= 0:
        raise WeChatError(43101, "user refuse to accept the msg")
    contact.accepted[template_id] -= 1
    contact.hear(Heard("notice", "\n".join(values.values()), values=values, url=asked.body.get("page", "")))
    return {}


def media_upload(world: World, asked: Asked) -> dict[str, Any]:
    if asked.file is None or not asked.file[0]:
        raise WeChatError(41005, "media data missing")
    kind = asked.query.get("type", "")
    if kind == "image":
        check_image(world, asked.file[1])
    elif kind not in ("voice", "video", "thumb"):
        raise WeChatError(40004, "invalid media type")
    media_id = world.keep(kind, asked.file[1])
    return {"type": kind, "thumb_media_id" if kind == "thumb" else "media_id": media_id, "created_at": 1}


def menu_create(world: World, asked: Asked) -> dict[str, Any]:
    world.menu = check_menu(world, asked.body.get("button"))
    return {}


def qrcode_create(world: World, asked: Asked) -> dict[str, Any]:
    scene = asked.body.get("action_info", {}).get("scene", {}).get("scene_str", "")
    if asked.body.get("action_name") != "QR_LIMIT_STR_SCENE" or not 1 <= len(scene) <= 64:
        world.resent(f"a QR code with the scene {scene!r}")
        raise WeChatError(40053, "invalid action info")
    ticket = secrets.token_urlsafe(40)
    world.scenes[ticket] = scene
    return {"ticket": ticket, "url": f"http://weixin.qq.com/q/{ticket}"}


def getticket(world: World, asked: Asked) -> dict[str, Any]:
    if asked.query.get("type") != "jsapi":
        raise WeChatError(40097, "invalid args")
    return {"ticket": world.ticket, "expires_in": 7200}


def oauth(world: World, asked: Asked) -> dict[str, Any]:
    _credentials(world, asked.query.get("appid"), asked.query.get("secret"))
    found = world.codes.pop(asked.query.get("code", ""), None)
    if found is None:
        raise WeChatError(40029, "invalid code")
    openid, snapshot, made_ms = found
    if world.now_ms() - made_ms > CODE_MS:
        raise WeChatError(40029, "code expired")
    answer = {"access_token": "oauth", "expires_in": 7200, "openid": openid, "scope": "snsapi_base"}
    return answer | ({"is_snapshotuser": 1} if snapshot else {})


METHODS: Mapping[str, Method] = {
    "/cgi-bin/stable_token": stable_token,
    "/cgi-bin/token": old_token,
    "/cgi-bin/message/custom/send": custom_send,
    "/cgi-bin/message/template/send": template_send,
    "/cgi-bin/message/subscribe/bizsend": bizsend,
    "/cgi-bin/media/upload": media_upload,
    "/cgi-bin/menu/create": menu_create,
    "/cgi-bin/qrcode/create": qrcode_create,
    "/cgi-bin/ticket/getticket": getticket,
    "/sns/oauth2/access_token": oauth,
}
