"""The errand of a planned push: what waits for a browser now, told to it without a word of what it is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from bot.clock import Clock
from bot.i18n import Catalogues
from bot.push.service import Gone, PushService
from bot.talk.messages import text
from storage.database import Database, Row, Tx
from storage.machine import townships, webchat
from storage.people import push

TOPIC_CHARS = 24


@dataclass(frozen=True, slots=True)
class _Told:
    """To which browser there is something to tell, and in which words."""

    browser: Row
    urgent: bool
    language: str | None
    code: str
    township: str
    several: bool


class Telling:
    """Tells browsers; `send` is the errand of the timer `push.send`."""

    def __init__(self, database: Database, service: PushService, catalogues: Catalogues, clock: Clock) -> None:
        self._database = database
        self._service = service
        self._catalogues = catalogues
        self._clock = clock

    @property
    def public_key(self) -> str:
        """What pages give their browsers."""
        return self._service.public_key

    async def stop(self) -> None:
        """Close every connection."""
        await self._service.stop()

    async def send(self, township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Tell the browser `subscription` if something still waits for it, before `until_ms`. Only the push that was
        planned last does that (`planned_ms`): another one would come too soon after it.

        What it gives goes to the timer: `told_ms`, `gone`, `late` (the moment is over), or nothing.
        Raises RetryLater, GiveUp.
        """
        now_ms = self._clock.now_ms()
        look = partial(_look, subscription_id=payload["subscription"], now_ms=now_ms)
        found = await self._database.read(look, township_id=township_id)
        if found is None or found.browser["planned_ms"] != payload["planned_ms"]:
            return {}
        if found.browser["server_key"] != self._service.public_key:
            return {"gone": True}  # it trusts a key that we have no more; the page asks anew when it is opened
        if now_ms >= payload["until_ms"]:
            return {"late": True}
        try:
            await self._service.send(
                {name: found.browser[name] for name in ("endpoint", "p256dh", "auth")},
                self._content(found),
                ttl_s=(payload["until_ms"] - now_ms) // 1_000,
                urgent=found.urgent,
                topic=topic_of(found.code),
            )
        except Gone:
            return {"gone": True}
        return {"told_ms": now_ms}

    def _content(self, found: _Told) -> bytes:
        """The township's name and that there is something new: whoever holds the phone may read it."""
        catalogue = self._catalogues[found.language or self._catalogues.default]
        title = catalogue.render(text("web.title", township=found.township))
        told = {"title": title, "text": catalogue.render(text("web.push"))}
        return orjson.dumps(told | ({"t": found.code} if found.several else {}))


def topic_of(code: str) -> str:
    """The name under which a later push of a township takes the place of an earlier one (RFC 8030, 5.4)."""
    digest = hashlib.sha256(code.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_CHARS]


async def _look(tx: Tx, subscription_id: str, now_ms: int) -> _Told | None:
    browser = await push.subscription(tx, subscription_id)
    if browser is None:
        return None
    untold = await push.untold(tx, browser, now_ms=now_ms)
    if untold is None:
        return None
    language = await webchat.language_of(tx, browser["address"])
    every = await townships.every_name(tx)
    town = next(row for row in every if row["township_id"] == tx.township_id)
    return _Told(browser, untold.urgent, language, town["code"], town["name"], len(every) > 1)
