"""The phone's side of the fake WeChat: what people do becomes pushes, tried three times; replies are checked."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aiohttp

from tests.fakes.wechat_checks import check_text
from tests.fakes.wechat_pages import new_code
from tests.fakes.wechat_seal import decrypt, encrypt, read, sign, write
from tests.fakes.wechat_world import Contact, Heard, WeChatError, World

HEARS_S = 5.0
TRIES = 3


class User:
    """A person with the app. Each act returns the passive reply it got, None when there was none."""

    def __init__(self, world: World, contact: Contact, url: str) -> None:
        self.world = world
        self.contact = contact
        self.openid = contact.openid
        self._url = url

    # -- what they do

    async def says(self, text: str) -> Heard | None:
        """Send words."""
        return await self._writes("text", Content=text)

    async def picks(self, label: str) -> Heard | None:
        """Answer with the number of the newest choice whose label contains that; AssertionError when there is none."""
        for heard in reversed(self.contact.seen):
            for shown, mark in heard.choices.items():
                if label in shown:
                    return await self.says(mark)
        raise AssertionError(f"no choice {label!r}; last seen: {[one.text for one in self.contact.seen[-2:]]}")

    async def sends_photo(self, content: bytes) -> Heard | None:
        """Send a photo."""
        media_id = self.world.keep("image", content)
        return await self._writes("image", PicUrl=f"{self._url}/pic/{media_id}", MediaId=media_id)

    async def sends_video(self, content: bytes, *, short: bool = False) -> Heard | None:
        """Send a video."""
        media_id = self.world.keep("video", content)
        thumb_id = self.world.keep("thumb", b"\xff\xd8\xff")
        return await self._writes("shortvideo" if short else "video", MediaId=media_id, ThumbMediaId=thumb_id)

    async def speaks(self, content: bytes = b"#!AMR\n", recognition: str = "") -> Heard | None:
        """Send a voice message."""
        media_id = self.world.keep("voice", content)
        return await self._writes("voice", MediaId=media_id, Format="amr", Recognition=recognition)

    async def sends_location(self, lat: float, lng: float, label: str = "", precision_m: float = 0) -> Heard | None:
        """Send a place as Tencent's map has it (GCJ-02); from a client that says how exact it is, with that."""
        said = {"Precision": f"{precision_m:.6f}"} if precision_m else {}
        return await self._writes("location", Location_X=str(lat), Location_Y=str(lng), Scale=15, Label=label, **said)

    async def sends_link(self, title: str, url: str, description: str = "") -> Heard | None:
        """Share a page."""
        return await self._writes("link", Title=title, Description=description, Url=url)

    async def sends(self, kind: str, **fields: Any) -> Heard | None:
        """Send a message of any type with any fields."""
        return await self._writes(kind, **fields)

    async def follows(self, scene: str = "") -> Heard | None:
        """Subscribe, perhaps by a QR code with a scene."""
        self.contact.following = True
        self.world.opened(self.contact, "subscribe")
        more = {"EventKey": f"qrscene_{scene}", "Ticket": secrets.token_urlsafe(40)} if scene else {"EventKey": ""}
        return await self._event("subscribe", **more)

    async def unfollows(self) -> None:
        """Unsubscribe: nothing reaches them any more."""
        self.contact.following = False
        self.contact.windows.clear()
        await self._event("unsubscribe", EventKey="")

    async def scans(self, scene: str) -> Heard | None:
        """Scan a QR code of the account: with its scene, subscribing if they have not."""
        if not self.contact.following:
            return await self.follows(scene)
        self.world.opened(self.contact, "scan")
        return await self._event("SCAN", EventKey=scene, Ticket=secrets.token_urlsafe(40))

    async def clicks(self, key: str) -> Heard | None:
        """Press a menu's button."""
        self.world.opened(self.contact, "click")
        return await self._event("CLICK", EventKey=key)

    async def views(self, url: str) -> Heard | None:
        """Press a menu's link."""
        return await self._event("VIEW", EventKey=url, MenuId="407")

    async def is_somewhere(self, lat: float, lng: float) -> Heard | None:
        """The phone reports its position by itself (WGS-84)."""
        return await self._event("LOCATION", Latitude=str(lat), Longitude=str(lng), Precision="65.0")

    async def gets_template(self, heard: Heard, status: str = "success") -> Heard | None:
        """WeChat reports whether a template message arrived."""
        return await self._event("TEMPLATESENDJOBFINISH", MsgID=int(heard.message_id), Status=status)

    def accepts_notice(self, template_id: str, times: int = 1) -> None:
        """Agree to be sent a subscription notice."""
        self.contact.accepted[template_id] = self.contact.accepted.get(template_id, 0) + times

    def opens_page(self, *, snapshot: bool = False) -> str:
        """Open the account's web page: the OAuth code it is given."""
        return new_code(self.world, self.openid, snapshot=snapshot)

    def holds_phone(self, *, snapshot: bool = False) -> None:
        """From now on it is their phone that goes through OAuth."""
        self.world.holder = self.openid, snapshot

    # -- what they see

    async def hears(self, *parts: str, timeout_s: float = HEARS_S) -> Heard:
        """The next message not heard yet that holds all `parts`; AssertionError when none comes in time."""
        passed = []
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    heard = await self.contact.sounds.get()
                    if all(part in heard.text for part in parts):
                        return heard
                    passed.append(heard.text)
        except TimeoutError:
            raise AssertionError(f"heard no {parts or 'message'} in {timeout_s} s, only {passed}") from None

    def hears_now(self) -> list[Heard]:
        """Everything not heard yet."""
        return [self.contact.sounds.get_nowait() for _ in range(self.contact.sounds.qsize())]

    @property
    def broken(self) -> int:
        """How often they were told that the account gives no service now."""
        return self.contact.broken

    # -- the push

    async def _writes(self, kind: str, **fields: Any) -> Heard | None:
        self.world.opened(self.contact, "message")
        return await self.push({"MsgType": kind, **fields, "MsgId": self.world.next_id()})

    async def _event(self, event: str, **fields: Any) -> Heard | None:
        return await self.push({"MsgType": "event", "Event": event, **fields})

    async def push(self, fields: dict[str, Any]) -> Heard | None:
        """Push it as WeChat does: three tries, each cut after `cut_s`; only an answer in time is shown."""
        created = self.world.now_ms() // 1000
        whole = {"ToUserName": self.world.account, "FromUserName": self.openid, "CreateTime": created, **fields}
        for _ in range(TRIES):
            query, body = pushed(self.world, self.openid, whole)
            try:
                async with asyncio.timeout(self.world.cut_s):
                    status, answer = await _deliver(self.world, query, body)
            except (TimeoutError, aiohttp.ClientError, OSError):
                continue
            if status != 200:
                continue
            return self._shown(answer)
        self.contact.broken += 1
        return None

    def _shown(self, answer: bytes) -> Heard | None:
        if answer in (b"", b"success"):
            return None
        try:
            heard = passive(self.world, self.openid, answer)
        except (ValueError, KeyError, WeChatError) as error:
            self.world.resent(f"a reply that is none: {error}")
            self.contact.broken += 1
            return None
        self.contact.hear(heard)
        return heard


def pushed(world: World, openid: str, fields: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Query and body of a push in the account's mode."""
    timestamp, nonce = str(world.now_ms() // 1000), str(secrets.randbelow(10**9))
    query = {"signature": sign(world.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce, "openid": openid}
    plain = write(fields, world.json)
    if world.mode == "plain":
        return query, plain
    encrypted = encrypt(world.aes_key, world.app_id, plain)
    signed = sign(world.token, timestamp, nonce, encrypted)
    outer = fields if world.mode == "compatible" else {"ToUserName": world.account}
    return {**query, "encrypt_type": "aes", "msg_signature": signed}, write({**outer, "Encrypt": encrypted}, world.json)


async def _deliver(world: World, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    if world.deliver is not None:
        return await world.deliver(query, body)
    kind = "application/json" if world.json else "text/xml"
    async with (
        aiohttp.ClientSession() as session,
        session.post(world.webhook_url, params=query, data=body, headers={"Content-Type": kind}) as response,
    ):
        return response.status, await response.read()


def passive(world: World, openid: str, answer: bytes) -> Heard:
    """What a passive reply shows; ValueError, KeyError or WeChatError for what WeChat would not show."""
    found = read(answer, world.json)
    if "Encrypt" in found:
        signed = sign(world.token, str(found["TimeStamp"]), str(found["Nonce"]), found["Encrypt"])
        if world.mode == "plain" or signed != found["MsgSignature"]:
            raise ValueError("a seal that is not asked for, or a wrong signature")
        found = read(decrypt(world.aes_key, world.app_id, found["Encrypt"]), world.json)
    elif world.mode == "safe":
        raise ValueError("not sealed")
    if found["ToUserName"] != openid or found["FromUserName"] != world.account or not int(found["CreateTime"]):
        raise ValueError("for somebody else")
    if found["MsgType"] == "text":
        return Heard("passive", check_text(world, found["Content"]))
    if found["MsgType"] == "image":
        return Heard("passive", picture=world.file(found["Image"]["MediaId"]).content)
    raise ValueError(f"type {found['MsgType']}")
