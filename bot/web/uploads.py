"""Photos in and out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from bot.errors import RetryLater
from bot.media_files import NoRoom
from bot.pictures import Refused
from bot.web.guard import Json, Refusal, caller, check_origin, drop
from bot.web.parts import Parts

MAX_UPLOAD_S = 900  # 20 MB at 23 kB a second
MAX_DROPPED_BYTES = 100_000_000
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
TOO_LARGE = ("too_large", "video_too_large")


class Uploads:
    """`POST /api/media` and `GET /media/{id}`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def receive(self, request: Request) -> Response:
        """Store a photo or video. 413 and 415 say what is wrong with it."""
        check_origin(request)
        parts, address = self._parts, caller(request)
        parts.uploads.check(address, parts.clock.now_ms())
        stream = request.stream()
        async with asyncio.timeout(MAX_UPLOAD_S):
            try:
                media_id = await parts.media.save_stream(address, stream)
            except Refused as error:
                await drop(stream, MAX_DROPPED_BYTES)
                status = 413 if error.code in TOO_LARGE else 415
                raise Refusal(status, error.code, key=f"error.media.{error.code}") from None
            except NoRoom:
                await drop(stream, MAX_DROPPED_BYTES)
                raise Refusal(507, "no_room", after_s=60) from None
        return Json({"id": media_id}, 201)

    async def show(self, request: Request) -> Response:
        """A copy for viewing, for those with the right; to others it does not exist."""
        address, media_id = caller(request), request.path_params["id"]
        if not await self._parts.media.may_see(media_id, address):
            raise Refusal(404, "not_found")
        try:
            shown = await self._parts.media.shown(media_id, thumb=request.query_params.get("size") == "thumb")
        except RetryLater:
            raise Refusal(503, "busy", after_s=5) from None
        if shown is None:
            raise Refusal(404, "not_found")
        if shown.path is None:
            return Response(shown.content, headers=HEADERS, media_type=shown.mime)
        if shown.kind == "video":
            return FileResponse(shown.path, headers=HEADERS, media_type=shown.mime)
        return Response(await asyncio.to_thread(Path.read_bytes, shown.path), headers=HEADERS, media_type=shown.mime)
