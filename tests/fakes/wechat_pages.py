"""The fake WeChat around a web page: the way through OAuth, and whether a page is signed for the JS-SDK."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from tests.fakes.wechat_world import World

AUTHORIZE = "/connect/oauth2/authorize"


def authorize(world: World, query: Mapping[str, str]) -> web.Response:
    """Send the phone back with a code of whoever holds it (`User.holds_phone`); a page with the fault, else."""
    back_to = query.get("redirect_uri", "")
    faults = {
        "appid": query.get("appid") != world.app_id,
        "redirect_uri": urlsplit(back_to).hostname not in world.page_hosts,
        "response_type": query.get("response_type") != "code",
        "scope": query.get("scope") != "snsapi_base",
        "state": not re.fullmatch(r"[A-Za-z0-9]{1,128}", query.get("state", "")),
        "nobody holds the phone": world.holder is None,
    }
    wrong = [name for name, is_wrong in faults.items() if is_wrong]
    if wrong or world.holder is None:
        world.resent(f"OAuth: {', '.join(wrong)}")
        return web.Response(text=f"<h1>{wrong[0]} 参数错误</h1>", content_type="text/html")
    openid, snapshot = world.holder
    code = new_code(world, openid, snapshot=snapshot)
    mark = "&" if urlsplit(back_to).query else "?"
    return web.Response(
        status=302, headers={"Location": f"{back_to}{mark}{urlencode({'code': code, 'state': query['state']})}"}
    )


def new_code(world: World, openid: str, *, snapshot: bool = False) -> str:
    """A code for `/sns/oauth2/access_token`."""
    code = secrets.token_hex(16)
    world.codes[code] = openid, snapshot, world.now_ms()
    return code


def is_signed(world: World, config: Mapping[str, Any], page: str) -> bool:
    """What `wx.config` was given on the page with that address: whether WeChat would let it call anything."""
    words = (
        f"jsapi_ticket={world.ticket}&noncestr={config['nonceStr']}&timestamp={config['timestamp']}"
        f"&url={page.partition('#')[0]}"
    )
    good = hashlib.sha1(words.encode()).hexdigest() == config["signature"]
    return good and config["appId"] == world.app_id and abs(config["timestamp"] - world.now_ms() // 1000) < 600
