"""What we send to a person in WeChat by ourselves: customer messages, counted, and a notice where they are not allowed.

Each piece (a picture, 2,048 bytes of words) counts before it is sent, so that a crash can't make us send too many.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import structlog

from bot.channels.base import Letter, Pictures
from bot.channels.wechat_api import WeChatApi
from bot.channels.wechat_errors import WindowClosed
from bot.channels.wechat_pieces import Piece, pieces_of, rest_row, together
from bot.channels.wechat_quota import Quota
from bot.channels.wechat_wire import heard_of, update_of
from bot.clock import Clock, Ids
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogue, Catalogues
from bot.talk.messages import Out, text
from storage import channel_faults, inbox, outbox, webchat, wechat
from storage.database import Database, Tx, Unavailable

CHANNEL = "wechat"
NEWEST = 1 << 60
MOST_HEARD = 30
MOST_UNFINISHED = 1_000
DATABASE_MS = 1_000
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


class Outgoing:
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
    ) -> None:
        self._api = api
        self._database = database
        self._pictures = pictures
        self._catalogues = catalogues
        self._clock = clock
        self._ids = ids
        self._township_id = township_id
        self._zone = zone
        self._notice = notice
        self._held_until_ms = 0
        self._arrived: dict[int, int] = {}  # how many of the pieces of letters that are under way

    def admit_ms(self, now_ms: int) -> int:
        """Now, or when WeChat lets the account send again."""
        return max(now_ms, self._held_until_ms)

    async def send(self, letter: Letter) -> bool:
        """Send a message's words, then its pictures; what has arrived of it is not sent again.

        False: the person has to write first. Raises RetryLater and GiveUp.
        """
        try:
            sent = await self._send(letter)
        except Unavailable as error:
            raise RetryLater(DATABASE_MS, "database") from error
        except GiveUp:
            self._arrived.pop(letter.id, None)
            raise
        self._arrived.pop(letter.id, None)
        return sent

    async def _send(self, letter: Letter) -> bool:
        catalogue = self._catalogues[await self._language(letter.address)]
        arrived = self._arrived.get(letter.id, 0)
        counted = await self._count(letter)
        series = await self._number(letter) if counted and letter.out.rows else 0
        pieces = pieces_of(letter.out, catalogue, series)
        try:
            for number, piece in enumerate(pieces[arrived:], start=arrived):
                if not (counted or await self._count(letter)):
                    return await self._keep(letter, pieces[number:], catalogue, whole=not number)
                counted = False
                await self._send_piece(letter.address.partition(":")[2], piece)
                self._remember(letter.id, number + 1)
        except WindowClosed:
            await self._close(letter.address)
            number = self._arrived.get(letter.id, 0)
            return await self._keep(letter, pieces[number:], catalogue, whole=not number)
        except RetryLater as error:
            await self._hold(error)
            if not (number := self._arrived.get(letter.id, 0)):
                raise
            await self._split(letter, together(pieces[number:]), "due", error.after_ms)
        return True

    async def _hold(self, error: RetryLater) -> None:
        """When the whole account has to wait, everybody's messages do."""
        if error.everyone:
            self._held_until_ms = self._clock.now_ms() + error.after_ms
            await self.note_fault()

    async def _keep(self, letter: Letter, missing: Sequence[Piece], catalogue: Catalogue, *, whole: bool) -> bool:
        """WeChat takes no more: tell by a notice that there is something, and keep what has not arrived.

        False: the whole message waits. True: a part of it has arrived, the rest waits as a message of its own.
        """
        rest = together(missing)
        if not whole:
            await self._split(letter, rest, "waiting")
        words = " ".join(rest.text.split()) or catalogue.render(text("wechat.pictures", count=len(rest.media)))
        try:
            await self._notify(letter, words)
        except RetryLater as error:
            await self._hold(error)
            raise
        return not whole

    async def _split(self, letter: Letter, rest: Out, state: str, after_ms: int = 0) -> None:
        """What has arrived of a letter is sent, for good; the rest is a message of its own."""
        now_ms = self._clock.now_ms()
        self._ids.follow(letter.id)
        row = rest_row(letter, rest, message_id=self._ids.next(), now_ms=now_ms, due_ms=now_ms + after_ms)

        async def work(tx: Tx) -> None:
            if await outbox.has_key(tx, row["message_key"], letter.address):
                return  # it was written before, and that was not known
            await outbox.put(tx, [row])
            sent = {"id": letter.id, "sent_ms": now_ms}
            await outbox.mark(tx, sent=[sent], ended=[{"id": row["id"], "state": state, "error": None}])

        await self._database.transaction(work, township_id=self._township_id, alone=False)

    def _remember(self, letter_id: int, arrived: int) -> None:
        self._arrived[letter_id] = arrived
        if len(self._arrived) > MOST_UNFINISHED:
            del self._arrived[next(iter(self._arrived))]

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
        notice, openid = self._notice, letter.address.partition(":")[2]
        if notice is None:
            return
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

    # -- how much may be sent

    async def _language(self, address: str) -> str:
        known = await self._database.read(lambda tx: webchat.language_of(tx, address), township_id=self._township_id)
        return known or self._catalogues.default

    async def _number(self, letter: Letter) -> int:
        """Which numbers its choices have."""
        return await self._database.transaction(
            lambda tx: outbox.number_choices(tx, letter.id, letter.address),
            township_id=self._township_id,
            alone=False,
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

        return await self._database.transaction(work, township_id=self._township_id, alone=False)

    async def _close(self, address: str) -> None:
        """WeChat takes nothing more for the person, whatever we have counted."""

        async def work(tx: Tx) -> None:
            quota, heard_id = await _quota(tx, address)
            await _put(tx, address, quota.used_up(), heard_id)

        await self._database.transaction(work, township_id=self._township_id, alone=False)

    async def note_fault(self) -> None:
        """Let the digest and `doctor` know what the operator must look into, or that it is over."""
        fault = self._api.fault

        async def work(tx: Tx) -> None:
            if await channel_faults.of_channel(tx, CHANNEL) != fault:
                await channel_faults.put(tx, CHANNEL, fault, now_ms=self._clock.now_ms())

        await self._database.transaction(work, township_id=self._township_id, alone=False)


async def _quota(tx: Tx, address: str) -> tuple[Quota, int]:
    """What a person may still be sent, with all that they did counted in, and the last of that."""
    row = await wechat.quota(tx, address)
    quota = Quota.from_json(orjson.loads(row["body"])) if row is not None else Quota.none()
    heard_id = row["heard_id"] if row is not None else 0
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
    return quota.heard(heard_of(update), min(update.created_ms, received_ms))


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
