"""Photos in and out, passed on in pieces."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.errors import RetryLater
from bot.media.files import NoRoom
from bot.media.pictures import UnusableFile
from bot.media.store import ViewingCopy
from bot.web.context import Context
from bot.web.guard import HttpRefusal, Json, check_origin, drop
from bot.web.ranges import NoSuchPart, part_of

MAX_UPLOAD_S = 900  # 20 MB at 23 kB a second
MAX_DROPPED_BYTES = 100_000_000
STORE_AWAY_S = 5
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
TOO_LARGE = ("too_large", "video_too_large")


class Uploads:
    """`POST /api/media` and `GET /media/{id}`."""

    def __init__(self, parts: Context) -> None:
        self._parts = parts

    async def receive(self, request: Request) -> Response:
        """Store a photo or video. 413 and 415 say what is wrong with it, 503 that the store is away, 422 that its
        sender has to agree to what is kept first: then nothing is stored.
        """
        check_origin(request)
        parts = self._parts
        township_id, address = who = await parts.doors.who(request)
        parts.uploads.check(address, parts.clock.now_ms())
        stream, now_ms = request.stream(), parts.clock.now_ms()
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
                media_id = await parts.media.of(township_id).save_stream(address, stream)
            except UnusableFile as error:
                await drop(stream, MAX_DROPPED_BYTES)
                status = 413 if error.code in TOO_LARGE else 415
                raise HttpRefusal(status, error.code, key=f"error.media.{error.code}") from None
            except NoRoom:
                await drop(stream, MAX_DROPPED_BYTES)
                raise HttpRefusal(507, "no_room", after_s=60) from None
            except RetryLater as error:
                await drop(stream, MAX_DROPPED_BYTES)
                raise HttpRefusal(503, "store_away", after_s=max(STORE_AWAY_S, error.after_ms // 1000)) from None
        return Json({"id": media_id}, 201)

    async def show(self, request: Request) -> Response:
        """A copy for viewing, for those with the right; to others it does not exist."""
        township_id, address = await self._parts.doors.who(request)
        store, media_id = self._parts.media.of(township_id), request.path_params["id"]
        thumb = request.query_params.get("size") == "thumb"
        if not await store.may_see(media_id, address):
            raise HttpRefusal(404, "not_found")
        try:
            shown = await store.shown(media_id, thumb=thumb)
        except RetryLater:
            raise HttpRefusal(503, "busy", after_s=5) from None
        if shown is None:
            raise HttpRefusal(404, "not_found")
        return _passed_on(request, shown, etag=f'"{media_id}{".thumb" * thumb}"')


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
