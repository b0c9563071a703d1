"""Photos in and out, passed on in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.channels.webchat import Who
from bot.errors import RetryLater
from bot.media.files import NoRoom
from bot.media.pictures import UnusableFile
from bot.media.store import NotFollowed, ViewingCopy
from bot.web.context import Context
from bot.web.guard import HttpRefusal, Json, check_origin, drop
from bot.web.ranges import NoSuchPart, part_of

MAX_UPLOAD_S = 900  # 20 MB at 23 kB a second
MAX_DROPPED_BYTES = 100_000_000
STORE_AWAY_S = 5
THUMB, FULL = "thumb", "full"
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
TOO_LARGE = ("too_large", "video_too_large")


class Uploads:
    """`/api/media`, `/api/media/{id}` and `/media/{id}`."""

    def __init__(self, parts: Context) -> None:
        self._parts = parts

    async def receive(self, request: Request) -> Response:
        """Store a photo or video; `?of=ID`: the original of a photo that was sent smaller.

        413 and 415 say what is wrong with it, 503 that the store is away, 422 that its sender has to agree to what is
        kept first: then nothing is stored. Of an original also 404, that it isn't wanted (any more), and 425, that it
        is once its photo was filed with something.
        """
        check_origin(request)
        parts, photo = self._parts, request.query_params.get("of")
        who = township_id, address = await parts.doors.who(request)
        stream, now_ms = request.stream(), parts.clock.now_ms()
        (parts.uploads if photo is None else parts.originals).check(address, now_ms)
        store = parts.media.of(township_id)
        if not await parts.database.read(lambda tx: parts.may_upload(tx, address, now_ms), township_id=township_id):
            async with asyncio.timeout(MAX_UPLOAD_S):
                await drop(stream, MAX_DROPPED_BYTES)
            raise HttpRefusal(422, "consent_first")
        try:
            await parts.newcomers.admit(request, who)
        except HttpRefusal:
            async with asyncio.timeout(MAX_UPLOAD_S):
                await drop(stream, MAX_DROPPED_BYTES)
            raise
        async with asyncio.timeout(MAX_UPLOAD_S):
            try:
                if photo is None:
                    media_id = await store.save_stream(address, stream)
                else:
                    media_id = await self._original(who, photo, stream)
            except (UnusableFile, NotFollowed, NoRoom, RetryLater) as error:
                await drop(stream, MAX_DROPPED_BYTES)
                raise _refusal(error) from None
        return Json({"id": media_id}, 201)

    async def _original(self, who: Who, photo: str, stream: AsyncIterator[bytes]) -> str:
        """Store the original of a photo; its id, that of an earlier one if it is here already."""
        township_id, address = who
        since_ms = await self._originals_since(township_id)
        media_id = await self._parts.media.of(township_id).save_original(address, photo, stream, since_ms=since_ms)
        await drop(stream, MAX_DROPPED_BYTES)
        return media_id

    async def is_wanted(self, request: Request) -> Response:
        """Say whether the original of the photo `?of=ID` is wanted: `yes`, `no` (any more), or `later`, see `receive`.

        It costs less than megabytes that are then refused.
        """
        parts = self._parts
        township_id, address = await parts.doors.who(request)
        parts.reads.check(address, parts.clock.now_ms())
        store, photo = parts.media.of(township_id), request.query_params.get("of", "")
        try:
            found = await store.followed(address, photo, since_ms=await self._originals_since(township_id))
        except NotFollowed as error:
            return Json({"wanted": "later" if error.yet else "no"})
        return Json({"wanted": "no" if found.original else "yes"})

    async def about(self, request: Request) -> Response:
        """Say how large the original of a photo is that whoever asks may look at: `{"original_bytes": N}`, 0: none."""
        parts, media_id = self._parts, request.path_params["id"]
        township_id, address = await parts.doors.who(request)
        parts.reads.check(address, parts.clock.now_ms())
        store = parts.media.of(township_id)
        if not await store.may_see(media_id, address):
            raise HttpRefusal(404, "not_found")
        try:
            full = await store.original(media_id)
        except RetryLater:
            raise HttpRefusal(503, "busy", after_s=5) from None
        return Json({"original_bytes": full.size_bytes if full is not None else 0})

    async def _originals_since(self, township_id: int) -> int:
        """Raises NotFollowed when none are taken."""
        now_ms = self._parts.clock.now_ms()
        since_ms = await self._parts.database.read(
            lambda tx: self._parts.originals_since(tx, now_ms), township_id=township_id
        )
        if since_ms is None:
            raise NotFollowed
        return since_ms

    async def show(self, request: Request) -> Response:
        """A copy for viewing, for those with the right; to others it does not exist.

        `?size=thumb` is the small one, `?size=full` that of the original which followed the photo, 404 while none has.
        """
        township_id, address = await self._parts.doors.who(request)
        store, media_id = self._parts.media.of(township_id), request.path_params["id"]
        size = request.query_params.get("size", "")
        if not await store.may_see(media_id, address):
            raise HttpRefusal(404, "not_found")
        try:
            shown = await (store.original(media_id) if size == FULL else store.shown(media_id, thumb=size == THUMB))
        except RetryLater:
            raise HttpRefusal(503, "busy", after_s=5) from None
        if shown is None:
            raise HttpRefusal(404, "not_found")
        return _passed_on(request, shown, etag=f'"{media_id}.{size if size in (THUMB, FULL) else "view"}"')


def _refusal(error: UnusableFile | NotFollowed | NoRoom | RetryLater) -> HttpRefusal:
    """What a browser is told of a file that was not stored."""
    match error:
        case UnusableFile():
            return HttpRefusal(413 if error.code in TOO_LARGE else 415, error.code, key=f"error.media.{error.code}")
        case NotFollowed():
            return HttpRefusal(425, "not_yet") if error.yet else HttpRefusal(404, "not_found")
        case NoRoom():
            return HttpRefusal(507, "no_room", after_s=60)
        case RetryLater():
            return HttpRefusal(503, "store_away", after_s=max(STORE_AWAY_S, error.after_ms // 1000))


def _passed_on(request: Request, shown: ViewingCopy, *, etag: str) -> Response:
    """The bytes, or the part of them that was asked for."""
    headers = {**HEADERS, "Accept-Ranges": "bytes", "ETag": etag}
    size_bytes = shown.size_bytes
    wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    try:
        part = part_of(wanted, size_bytes)
    except NoSuchPart:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size_bytes}"})
    start, end = part or (0, size_bytes)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=shown.mime)
    return StreamingResponse(shown.read(start, end), status, headers, shown.mime)
