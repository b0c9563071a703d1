"""The page's files, read once and kept compressed. A browser asks whether they changed and mostly hears no."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
PACKED = {".html", ".js", ".css", ".svg", ".webmanifest"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: as it is, and compressed if that is worth it."""

    content: bytes
    packed: bytes
    mime: str
    etag: str


def load(folder: Path = FOLDER) -> Mapping[str, StaticFile]:
    """Every file of the folder by its name."""
    found = {}
    for path in sorted(folder.iterdir()):
        mime = TYPES.get(path.suffix)
        if mime is None or not path.is_file():
            continue
        content = path.read_bytes()
        packed = gzip.compress(content, mtime=0) if path.suffix in PACKED else b""
        found[path.name] = StaticFile(content, packed, mime, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found


class StaticFiles:
    """Serves them."""

    def __init__(self, files: Mapping[str, StaticFile] | None = None) -> None:
        self._files = load() if files is None else files

    def answer(self, request: Request, name: str) -> Response:
        """The file of that name, or 304 or 404."""
        file = self._files.get(name)
        if file is None:
            return Response("not found", 404, media_type="text/plain")
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.mime)
        return Response(file.content, headers=headers, media_type=file.mime)

    async def page(self, request: Request) -> Response:
        """The chat itself."""
        return self.answer(request, "index.html")

    async def static(self, request: Request) -> Response:
        """A file of the page."""
        return self.answer(request, request.path_params["name"])

    async def worker(self, request: Request) -> Response:
        """The service worker, at the root so that it serves the whole page."""
        return self.answer(request, "sw.js")

    async def manifest(self, request: Request) -> Response:
        """What makes the page installable."""
        return self.answer(request, "manifest.webmanifest")
