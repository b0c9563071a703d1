"""What we send to a person in WeChat by ourselves: customer messages, counted, and a notice where they are not allowed.

Each piece (a picture, 2,048 bytes of words) counts before it is sent, so that a crash can't make us send too many.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import structlog

from bot.channels.base import Letter, Pictures
from bot.channels.tencent_errors import WindowClosed
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.pieces import Piece, pieces_of, rest_key, rest_row, together
from bot.channels.wechat.quota import Quota
from bot.channels.wechat.wire import heard_of, update_of
from bot.clock import Clock, Ids
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogue, Catalogues
from bot.talk.messages import Out, text
from bot.troubles import Troubles
from storage.database import Database, Refused, Tx, Unavailable
from storage.machine import inbox, outbox, webchat, wechat
from storage.vault.pseudonyms import PLAIN, Pseudonyms

CHANNEL = "wechat"
NEWEST = 1 << 60
MOST_HEARD = 30
SPLIT_MS = 1_000
TROUBLE_PAUSE_S = 0.5
LAST_TRIES = 16
VIDEO_MAX_BYTES = 10_000_000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notice:
    """The template message or subscription notice for those who have not written for long; `values` may hold
    `{words}` (how the message begins), `{time}` and `{date}`.
    """

    kind: str
    id: str
    values: dict[str, str]


class CustomerMessages:
    """One account's."""

    def __init__(
        self,
        api: WeChatApi,
        database: Database,
        pictures: Pictures,
        catalogues: Catalogues,
        clock: Clock,
        *,
        ids: Ids,
        township_id: int,
        zone: ZoneInfo,
        notice: Notice | None = None,
        troubles: Troubles | None = None,
        pseudonyms: Pseudonyms = PLAIN,
    ) -> None:
        self._api = api
        self._pseudonyms = pseudonyms
        self._database = database
        self._pictures = pictures
        self._catalogues = catalogues
        self._clock = clock
        self._ids = ids
        self._township_id = township_id
        self._zone = zone
        self._notice = notice
        self._troubles = troubles or Troubles(clock)
        self._held_until_ms = 0

    def admit_ms(self, now_ms: int) -> int:
        """Now, or when WeChat lets the account send again."""
        return max(now_ms, self._held_until_ms)

    async def send(self, letter: Letter) -> bool:
        """Send a message's words, then its pictures; what has arrived of it is not sent again.

        False: the person has to write first. Raises RetryLater, GiveUp and Unavailable.
        """
        catalogue = self._catalogues[await self._language(letter.address)]
        counted = await self._count(letter)
        series = await self._number(letter) if counted and letter.out.rows else 0
        pieces = pieces_of(letter.out, catalogue, series)
        arrived, stopped = await self._send_pieces(letter, pieces) if counted else (0, WindowClosed("counted"))
        if stopped is None:
            return True
        rest = together(pieces[arrived:])
        if not isinstance(stopped, WindowClosed):
            if isinstance(stopped, RetryLater):
                await self._hold(stopped)
            if not arrived:
                raise stopped
            await self._split(letter, rest, "due")
            return True
        if arrived:
            await self._split(letter, rest, "waiting")
        elif series:
            await self._unnumber(letter)
        await self._tell_of(letter, rest, catalogue, whole=not arrived)
        return bool(arrived)

    async def _send_pieces(
        self, letter: Letter, pieces: Sequence[Piece]
    ) -> tuple[int, WindowClosed | RetryLater | Unavailable | None]:
        """How many have arrived, and what keeps the others back. The first is counted already. Raises GiveUp."""
        for number, piece in enumerate(pieces):
            try:
                if number and not await self._count(letter):
                    return number, WindowClosed("counted")
                await self._send_piece(self._openid(letter), piece)
            except WindowClosed as error:
                with suppress(Unavailable):
                    await self._close(letter.address)
                return number, error
            except (RetryLater, Unavailable) as error:
                return number, error
        return len(pieces), None

    async def _hold(self, error: RetryLater) -> None:
        """When the whole account has to wait, everybody's messages do."""
        if error.everyone:
            self._held_until_ms = self._clock.now_ms() + error.after_ms
            if self._api.fault:
                self.note(CHANNEL, self._api.fault)

    async def _split(self, letter: Letter, rest: Out, state: str) -> None:
        """What has arrived of a letter is sent, for good; the rest is a message of its own, due or waiting.

        This has to be written, else what has arrived is sent again: wait a while for a database that is away.
        """

        async def work(tx: Tx) -> None:
            if await outbox.has_key(tx, rest_key(letter.id), letter.address):
                return  # written before, unknown to us, or by another worker that has taken over
            now_ms = self._clock.now_ms()
            self._ids.follow(await inbox.newest_id(tx))
            row = rest_row(letter, rest, message_id=self._ids.next(), now_ms=now_ms, due_ms=now_ms + SPLIT_MS)
            await outbox.put(tx, [row])
            sent = {"id": letter.id, "sent_ms": now_ms}
            await outbox.mark(tx, sent=[sent], ended=[{"id": row["id"], "state": state, "error": None}])

        for tries_left in reversed(range(LAST_TRIES)):
            try:
                await self._database.transaction(work, township_id=self._township_id, exclusive=False)
                return
            except (Refused, Unavailable):
                if not tries_left:
                    raise
                await asyncio.sleep(TROUBLE_PAUSE_S)

    async def _tell_of(self, letter: Letter, rest: Out, catalogue: Catalogue, *, whole: bool) -> None:
        """WeChat takes no more: say in a notice that something waits. `whole`: nothing of the letter has arrived, so
        that it can be tried again.
        """
        if letter.late:
            return  # a notice is for news; who writes again sees it first
        words = " ".join(rest.text.partition("\n")[0].split()) or catalogue.render(
            text("wechat.pictures", count=len(rest.media))
        )
        try:
            await self._notify(letter, words)
        except RetryLater as error:
            await self._hold(error)
            if whole:
                raise

    def _openid(self, letter: Letter) -> str:
        """How WeChat calls whom a letter is for. Raises GiveUp for an address that can't be read."""
        try:
            return self._pseudonyms.behind(letter.address)
        except ValueError as error:
            raise GiveUp(f"address: {error}", unreachable=True) from None

    async def _send_piece(self, openid: str, piece: Piece) -> None:
        if piece.media_id:
            await self._send_picture(openid, piece.media_id)
        else:
            await self._api.send_text(openid, piece.words)

    async def _send_picture(self, openid: str, media_id: str) -> None:
        """A stored picture or video, if it is still there and WeChat takes it."""
        found = await self._pictures.viewing_copy(media_id)
        if found is None:
            return
        content, kind = found
        whole = content if isinstance(content, bytes) else await _gathered(content)
        try:
            if kind == "video":
                await self._api.send_video(openid, await self._api.upload(whole, "video/mp4", "video"))
            else:
                await self._api.send_image(openid, await self._api.upload(whole, "image/jpeg"))
        except GiveUp as error:
            if isinstance(error, WindowClosed) or error.unreachable:
                raise
            log.warning("wechat.picture_not_sent", media=media_id, error=error.code)  # its words go on

    async def _notify(self, letter: Letter, words: str) -> None:
        """Send the notice, if the account has one. Raises RetryLater, and GiveUp for somebody who is gone."""
        notice = self._notice
        if notice is None:
            return
        openid = self._openid(letter)
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone(self._zone)
        filling = {"words": words, "time": f"{now:%Y-%m-%d %H:%M}", "date": f"{now:%Y-%m-%d}"}
        values = {name: value.format_map(filling) for name, value in notice.values.items()}
        try:
            if notice.kind == "template":
                await self._api.send_template(openid, notice.id, values, once=f"{letter.township_id}-{letter.id}")
            else:
                await self._api.send_notice(openid, notice.id, values)
        except GiveUp as error:
            if error.unreachable:
                raise
            log.warning("wechat.notice_refused", error=error.code)
            fault = error.code.partition(":")[0]
        else:
            fault = ""
        self.note(f"{CHANNEL}_notice", fault)

    # -- how much may be sent

    async def _language(self, address: str) -> str:
        known = await self._database.read(lambda tx: webchat.language_of(tx, address), township_id=self._township_id)
        return known or self._catalogues.default

    async def _number(self, letter: Letter) -> int:
        """Which numbers its choices have."""
        return await self._database.transaction(
            lambda tx: outbox.number_choices(tx, letter.id, letter.address),
            township_id=self._township_id,
            exclusive=False,
        )

    async def _unnumber(self, letter: Letter) -> None:
        """Its numbers were not seen."""
        await self._database.transaction(
            lambda tx: outbox.take_number_back(tx, letter.id, late=letter.late),
            township_id=self._township_id,
            exclusive=False,
        )

    async def _count(self, letter: Letter) -> bool:
        """Count one more message to the person, if there may be one more."""

        async def work(tx: Tx) -> bool:
            now_ms = self._clock.now_ms()
            quota, heard_id = await _quota(tx, letter.address)
            allowed = quota.may(now_ms, urgent=letter.urgent)
            if allowed:
                await _put(tx, letter.address, quota.sent(now_ms), heard_id)
            return allowed

        return await self._database.transaction(work, township_id=self._township_id, exclusive=False)

    async def _close(self, address: str) -> None:
        """WeChat takes nothing more for the person, whatever we have counted."""

        async def work(tx: Tx) -> None:
            quota, heard_id = await _quota(tx, address)
            await _put(tx, address, quota.used_up(), heard_id)

        await self._database.transaction(work, township_id=self._township_id, exclusive=False)

    def note(self, part: str, fault: str, *, patience_ms: int = 0) -> None:
        """Let everybody know what is the matter with a part of the channel (`wechat_webhook`, `wechat_notice`), or
        that it works.
        """
        if fault:
            self._troubles.failed(part, fault, township_id=self._township_id, patience_ms=patience_ms)
        else:
            self._troubles.works(part, self._township_id)


async def _quota(tx: Tx, address: str) -> tuple[Quota, int]:
    """What a person may still be sent, with all that they did counted in, and the last of that."""
    row = await wechat.quota(tx, address)
    quota, heard_id = Quota.none(), 0
    if row is not None:
        try:
            quota, heard_id = Quota.from_json(orjson.loads(row["body"])), row["heard_id"]
        except (AttributeError, KeyError, TypeError, ValueError):  # what they wrote is counted anew
            log.warning("wechat.quota_unreadable", address=address)
    for update in reversed(await inbox.of_address(tx, address, before_id=NEWEST, limit=MOST_HEARD)):
        if update["id"] > heard_id:
            heard_id = update["id"]
            quota = _after(quota, update["body"], update["received_ms"])
    return quota, heard_id


def _after(quota: Quota, body: bytes, received_ms: int) -> Quota:
    """After an update; one that was blanked meanwhile opens nothing."""
    try:
        update = update_of(body)
    except ValueError:
        return quota
    return quota.heard(heard_of(update), min(update.created_ms, received_ms), update.created_ms)


async def _put(tx: Tx, address: str, quota: Quota, heard_id: int) -> None:
    await wechat.put_quota(tx, address, orjson.dumps(quota.to_json()).decode(), heard_id=heard_id)


async def _gathered(pieces: AsyncIterator[bytes]) -> bytes:
    """A file in memory; one that is too large is read no further than shows that."""
    whole = bytearray()
    async for piece in pieces:
        whole += piece
        if len(whole) > VIDEO_MAX_BYTES:
            break
    return bytes(whole)
