"""Photos and videos in an S3-compatible store, with signed links for those who may look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.store import S3Store

from bot.media.shelf import Complete, Shelf, reaching
from bot.settings import Settings

PART_BYTES, PARTS_AT_ONCE = 5 * 1024 * 1024, 2  # of an upload in parts: what of it is in memory at a time
KEPT_S = 30  # how long a browser may keep what it got by a link; less than half of the shortest link
CLIENT: Any = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=30),
    "timeout": timedelta(minutes=30),  # the whole of a video to a phone with a thin line
}
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


class S3Shelf(Shelf):
    """An S3-compatible store. `link_s` seconds is how long a link holds; 0: no links."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.media_url)
        self._bucket, prefix = url.netloc, url.path.strip("/")
        self._prefix = prefix or None
        where = f" at {settings.media_s3_endpoint}" if settings.media_s3_endpoint else ""
        store = self._open(settings, settings.media_s3_access_key, settings.media_s3_secret_key)
        super().__init__(store, settings.data_dir / "media" / "incoming", f"{settings.media_url}{where}")
        self._s3 = store
        self.link_s = settings.media_link_seconds
        if self.link_s:
            # what a link looks like is known without asking anybody for credentials
            probe = obstore.sign(self._open(settings, "x", "x"), "GET", "x", timedelta(seconds=self.link_s))
            self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(probe))

    def _open(self, settings: Settings, access_key: str, secret_key: str) -> S3Store:
        endpoint = settings.media_s3_endpoint
        options: Any = {"disable_bulk_delete": True}  # many S3-compatible stores don't have it
        if settings.media_s3_virtual_host:
            options["virtual_hosted_style_request"] = True
            endpoint = endpoint.replace("://", f"://{self._bucket}.", 1)
        chosen = {
            "endpoint": endpoint,
            "region": settings.media_s3_region,
            "access_key_id": access_key,
            "secret_access_key": secret_key,
        }
        options |= {name: value for name, value in chosen.items() if value}
        client: Any = {**CLIENT, "allow_http": endpoint.startswith("http://")}
        return S3Store(self._bucket, prefix=self._prefix, config=options, client_options=client, retry_config=RETRIES)

    async def put(self, files: Sequence[Complete]) -> None:
        """Store files in this order, large ones in parts; each appears as a whole."""
        for file in files:
            with reaching(missing_is_away=True):
                await obstore.put_async(self._store, file.key, file.path, **_sending(file))

    def put_now(self, files: Sequence[Complete]) -> None:
        """`put`, blocking."""
        for file in files:
            with reaching(missing_is_away=True):
                obstore.put(self._store, file.key, file.path, **_sending(file))

    async def mark(self, key: str) -> None:
        """Store a file with nothing in it."""
        with reaching(missing_is_away=True):
            await super().mark(key)

    async def link(self, key: str) -> str:
        """An address signed for `link_s` seconds; "" when links are off."""
        if not self.link_s:
            return ""
        with reaching():
            return await obstore.sign_async(self._s3, "GET", key, timedelta(seconds=self.link_s))


def _sending(file: Complete) -> Any:
    return {
        "attributes": {
            "Content-Type": file.mime,
            "Content-Disposition": "inline",
            "Cache-Control": f"private, max-age={KEPT_S}",
        },
        "chunk_size": PART_BYTES,
        "max_concurrency": PARTS_AT_ONCE,
    }
