"""A web chat user, as a story's person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.app import App
from bot.channels.base import Raw
from bot.stored import load_out
from storage.database import Tx
from tests.stories.drivers import TOWN
from tests.stories.someone import Heard
from tests.unsealed import open_all


def bytes_of(posted: Any) -> bytes:
    """What the page sends."""
    return json.dumps(posted, ensure_ascii=False).encode()


class WebDriver:
    """A web chat user; what they send is what the page posts."""

    def __init__(self, app: App, number: int) -> None:
        self._app = app
        self._next = 0
        self.called = ""
        self.address = f"web:{number:064x}"
        self._held: list[tuple[Sequence[bytes], bool, str]] = []  # as the page does, until they have agreed

    async def _post(self, **body: Any) -> None:
        self._next += 1
        key = f"{self.address}:{self._next}"
        raw = Raw("web", key, self.address, bytes_of({"id": str(self._next), **body}), TOWN)
        await self._app.intake.accept([raw])

    async def says(self, words: str) -> None:
        await self._post(kind="text", text=words)

    async def taps(self, heard: Heard, label: str, data: str) -> None:
        await self._post(kind="tap", text=label, data=data, under=heard.place)

    async def _may_upload(self) -> bool:
        app = self._app
        now_ms = app.clock.now_ms()
        return await app.database.read(lambda tx: app.product.takes_photos(tx, self.address, now_ms))

    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None:
        if not await self._may_upload():
            self._held.append((photos, album, caption))
            await self.starts("")
            return
        ids = [await self._app.media.of(TOWN).save_bytes(self.address, content, "photo.jpg") for content in photos]
        batches = [ids] if album else [[one] for one in ids]
        for at, batch in enumerate(batches):
            await self._post(kind="media", media=batch, text=caption if at == 0 else "")

    async def sends_place(self, lat: float, lng: float, accuracy_m: int = 20) -> None:
        await self._post(kind="place", lat=lat, lng=lng, accuracy_m=accuracy_m)

    async def starts(self, token: str) -> None:
        await self._post(kind="start", payload=token)

    async def answered(self) -> None:
        """Answers are read out of the database."""

    async def looks(self) -> bool:
        """An open page shows everything by itself, and sends what had to wait until they agreed."""
        if not self._held or not await self._may_upload():
            return False
        held, self._held = self._held, []
        for photos, album, caption in held:
            await self.sends_photos(photos, album, caption)
        return True

    async def hears(self, after_id: int) -> tuple[list[Heard], int]:
        """Everything written for this address since `after_id`."""

        async def work(tx: Tx) -> Any:
            rows = await tx.all(
                "SELECT id, body, changes FROM outbox WHERE township_id = :t AND address = :address AND id > :after_id"
                " AND due_ms <= :now_ms AND held IS NULL AND state <> 'expired' ORDER BY id",
                {"address": self.address, "after_id": after_id, "now_ms": self._app.clock.now_ms()},
            )
            return await open_all(tx, rows)

        rows = await self._app.database.read(work)
        heard = []
        for row in rows:
            out = load_out(row["body"])
            buttons = tuple((label, data) for line in out.rows for label, data, _ in line)
            changed = row["changes"] is not None
            place = str(row["changes"] if changed else row["id"]) if out.card else ""
            media, links = tuple(out.media), tuple(out.links)
            heard.append(Heard(out.text, buttons, media, links, out.ask, place, changed))
        return heard, rows[-1]["id"] if rows else after_id
