"""WeChat's API for one Official Account. Every method raises RetryLater or GiveUp (WindowClosed) by the error table;
`fault` names what the operator must look into, until a call succeeds.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.channels.tencent_errors import TOKEN_CODES, ErrorCode, failure_of, fault_of
from bot.channels.tencent_http import Http, Upload
from bot.channels.wechat.notices import check_menu, check_scene, js_signature, notice_data
from bot.channels.wechat.tokens import Stored, TokenKeeper, TokenStore
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater

BASE_URL = "https://api.weixin.qq.com"
PICTURE_HOSTS = (".qpic.cn", ".qlogo.cn", ".qq.com")
MOST_BYTES = {"image": 2_000_000, "voice": 2_000_000, "video": 10_000_000, "thumb": 64_000}
NAMES = {"image/jpeg": "photo.jpg", "image/png": "photo.png", "video/mp4": "video.mp4"}
MediaType = Literal["image", "voice", "video", "thumb"]


class WeChatApi:
    """A client; `start` before use. `fault` is "" or a code's name (`address_not_listed`)."""

    def __init__(self, app_id: str, secret: str, tokens: TokenStore, clock: Clock, base_url: str = BASE_URL) -> None:
        self._app_id = app_id
        self._secret = secret
        self._clock = clock
        self._base = base_url.rstrip("/")
        self._http = Http()
        self._access = TokenKeeper(f"access_token {app_id}", self._fetch_token, tokens, clock)
        self._ticket = TokenKeeper(f"jsapi_ticket {app_id}", self._fetch_ticket, tokens, clock)
        self.fault = ""

    async def start(self) -> None:
        """Open the connections; nothing is asked yet."""
        await self._http.start()

    async def stop(self) -> None:
        """Close the connections."""
        await self._http.stop()

    async def check(self) -> None:
        """Get a token that holds, also the one that is known: raises what is wrong."""
        await self._access.token()

    async def ask(self) -> None:
        """Ask WeChat itself whether it knows us now (`doctor`): raises what is wrong."""
        await self._fetch_token(force=False)

    # -- to a person

    async def send_text(self, openid: str, words: str) -> None:
        """A customer message in words, at most `TEXT_MAX_BYTES` bytes."""
        await self._post("/cgi-bin/message/custom/send", _custom(openid, "text", {"content": words}))

    async def send_image(self, openid: str, media_id: str) -> None:
        """A customer message with a picture that was uploaded."""
        await self._post("/cgi-bin/message/custom/send", _custom(openid, "image", {"media_id": media_id}))

    async def send_video(self, openid: str, media_id: str) -> None:
        """A customer message with a video that was uploaded."""
        await self._post("/cgi-bin/message/custom/send", _custom(openid, "video", {"media_id": media_id}))

    async def send_template(
        self, openid: str, template_id: str, values: Mapping[str, str], *, url: str = "", once: str = ""
    ) -> str:
        """A template message; its id (see `notice_of`). `once`: the same is sent once in ten minutes.

        GiveUp("template: …") for values that can't be made to fit.
        """
        body = _notice(openid, template_id, values) | ({"url": url} if url else {})
        body |= {"client_msg_id": once[:32]} if once else {}
        return str((await self._post("/cgi-bin/message/template/send", body)).get("msgid", ""))

    async def send_notice(self, openid: str, template_id: str, values: Mapping[str, str], *, url: str = "") -> None:
        """A subscription notice (订阅通知), which the person has asked for."""
        body = _notice(openid, template_id, values) | ({"page": url} if url else {})
        await self._post("/cgi-bin/message/subscribe/bizsend", body)

    # -- media

    async def upload(self, content: bytes, mime: str, kind: MediaType = "image") -> str:
        """The media id of a file for three days; GiveUp("file_too_large")."""
        if len(content) > MOST_BYTES[kind]:
            raise GiveUp("file_too_large")
        upload = Upload(NAMES.get(mime, "file"), mime, content)
        found = await self._call("/cgi-bin/media/upload", {"type": kind}, upload=upload)
        return _text(found, "thumb_media_id" if kind == "thumb" else "media_id")

    async def fetch(self, ref: str) -> AsyncGenerator[bytes, None]:
        """The bytes behind a `Media.ref` in pieces: by its media id, else from the picture's public address."""
        media_id, _, address = ref.partition(" ")
        started = False
        try:
            async with aclosing(self._fetch_media(media_id)) as chunks:
                async for chunk in chunks:
                    started = True
                    yield chunk
            return
        except GiveUp:
            if started or not self._is_picture(address):
                raise
        try:
            async with aclosing(self._http.download(address, {}, outside=True)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except ErrorCode as refusal:
            raise self._failure(refusal) from None

    async def _fetch_media(self, media_id: str) -> AsyncGenerator[bytes, None]:
        url = f"{self._base}/cgi-bin/media/get"
        token = await self._access.token()
        for last in (False, True):
            try:
                async with aclosing(self._http.download(url, {"access_token": token, "media_id": media_id})) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except ErrorCode as refusal:  # it stands before the first piece
                if last or refusal.code not in TOKEN_CODES:
                    raise self._failure(refusal) from None
            token = await self._access.renewed(token)

    def _is_picture(self, address: str) -> bool:
        """Whether an address is on a host of WeChat's pictures: it came in a message."""
        parts = urlsplit(address)
        ours = address.startswith(f"{self._base}/")
        return ours or (parts.scheme in ("http", "https") and (parts.hostname or "").endswith(PICTURE_HOSTS))

    # -- the account

    async def create_menu(self, buttons: Sequence[Mapping[str, Any]]) -> None:
        """Replace the menu; ValueError for one that WeChat would refuse."""
        check_menu(buttons)
        await self._post("/cgi-bin/menu/create", {"button": list(buttons)})

    async def create_qr(self, scene: str) -> str:
        """The address to be printed as a permanent QR code, by which subscribe and SCAN bring the scene."""
        info = {"scene": {"scene_str": check_scene(scene)}}
        found = await self._post("/cgi-bin/qrcode/create", {"action_name": "QR_LIMIT_STR_SCENE", "action_info": info})
        return _text(found, "url")

    async def openid_of(self, code: str) -> str:
        """Who came back from `authorize_url` with this code, which holds once and for five minutes.

        GiveUp("snapshot_user") for the stand-in of a page that is only previewed.
        """
        query = {"appid": self._app_id, "secret": self._secret, "code": code, "grant_type": "authorization_code"}
        try:
            found = await self._http.call(f"{self._base}/sns/oauth2/access_token", query)
        except ErrorCode as refusal:
            raise self._failure(refusal) from None
        if found.get("is_snapshotuser"):
            raise GiveUp("snapshot_user")
        return _text(found, "openid")

    async def js_config(self, url: str) -> dict[str, Any]:
        """What `wx.config` needs on the page with that address: appId, timestamp, nonceStr, signature."""
        ticket = await self._ticket.token()
        nonce, timestamp_s = secrets.token_hex(8), self._clock.now_ms() // 1000
        signed = js_signature(ticket, nonce, timestamp_s, url)
        return {"appId": self._app_id, "timestamp": timestamp_s, "nonceStr": nonce, "signature": signed}

    # -- calls

    async def _fetch_token(self, force: bool) -> Stored:
        body = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        try:
            answer = await self._http.call(f"{self._base}/cgi-bin/stable_token", {}, body | {"force_refresh": force})
        except ErrorCode as refusal:
            raise self._failure(refusal) from None
        self.fault = ""
        return _text(answer, "access_token"), _seconds(answer) * 1000

    async def _fetch_ticket(self, force: bool) -> Stored:
        answer = await self._call("/cgi-bin/ticket/getticket", {"type": "jsapi"})
        return _text(answer, "ticket"), _seconds(answer) * 1000

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._call(path, {}, body)

    async def _call(
        self, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None, upload: Upload | None = None
    ) -> dict[str, Any]:
        """One call with the token, which is renewed once when it is refused."""
        token = await self._access.token()
        for last in (False, True):
            try:
                found = await self._http.call(f"{self._base}{path}", {"access_token": token, **query}, body, upload)
                self.fault = ""
                return found
            except ErrorCode as refusal:
                if last or refusal.code not in TOKEN_CODES:
                    raise self._failure(refusal) from None
            token = await self._access.renewed(token)
        raise AssertionError("unreachable")

    def _failure(self, refusal: ErrorCode) -> RetryLater | GiveUp:
        self.fault = fault_of(refusal) or self.fault
        return failure_of(refusal)


def _custom(openid: str, kind: str, content: Mapping[str, str]) -> dict[str, Any]:
    return {"touser": openid, "msgtype": kind, kind: content}


def _notice(openid: str, template_id: str, values: Mapping[str, str]) -> dict[str, Any]:
    try:
        return {"touser": openid, "template_id": template_id, "data": notice_data(values)}
    except ValueError as error:
        raise GiveUp(f"template: {error}") from None


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise RetryLater(1_000, f"no {name}")
    return value


def _seconds(found: Mapping[str, Any]) -> int:
    value = found.get("expires_in")
    return value if isinstance(value, int) else 7_200
