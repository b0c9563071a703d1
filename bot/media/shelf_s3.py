"""Photos and videos in an S3-compatible store through obstore.

Loaded only where one is set: with its threads obstore is 8 MiB.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from bot.media.shelf import READ_BYTES, Complete, Shelf, StoredFile, away
from bot.settings import Settings

PART_BYTES, PARTS_AT_ONCE = 5 * 1024 * 1024, 2  # of an upload in parts: what of it is in memory at a time
CLIENT: Any = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=30),
    "timeout": timedelta(minutes=30),  # the whole of a video to a phone with a thin line
}
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


class S3Shelf(Shelf):
    """An S3-compatible store."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.media_url)
        self._bucket, prefix = url.netloc, url.path.strip("/")
        self._prefix = prefix or None
        where = f" at {settings.media_s3_endpoint}" if settings.media_s3_endpoint else ""
        store = self._open(settings, settings.media_s3_access_key, settings.media_s3_secret_key)
        super().__init__(settings.data_dir / "media" / "incoming", f"{settings.media_url}{where}")
        self._store = store

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
            with self.watched(), reaching(missing_is_away=True):
                await obstore.put_async(self._store, file.key, file.path, **_sending(file))

    def put_now(self, files: Sequence[Complete]) -> None:
        """`put`, blocking."""
        for file in files:
            with reaching(missing_is_away=True):
                obstore.put(self._store, file.key, file.path, **_sending(file))

    async def mark(self, key: str) -> None:
        """Store a file with nothing in it."""
        with self.watched(), reaching(missing_is_away=True):
            await obstore.put_async(self._store, key, b"\n", use_multipart=False)

    async def find(self, key: str) -> StoredFile | None:
        """Size and time of a file, None when it isn't there."""
        try:
            with self.watched(), reaching():
                return _found(await obstore.head_async(self._store, key))
        except FileNotFoundError:
            return None

    def find_now(self, key: str) -> StoredFile | None:
        """`find`, blocking."""
        try:
            with reaching():
                return _found(obstore.head(self._store, key))
        except FileNotFoundError:
            return None

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError."""
        with self.watched(), reaching():
            stream = (await obstore.get_async(self._store, key, options=_range(start, end))).stream(READ_BYTES)
        while True:
            with self.watched(), reaching():
                piece = await anext(stream, b"")
            if not piece:
                return
            yield bytes(piece)

    def read_now(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and bytes of a whole file, blocking. Raises FileNotFoundError."""
        with reaching():
            result = obstore.get(self._store, key)
        return result.meta["size"], _pieces(result)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove files in this order; one that is gone already is no error."""
        for key in keys:
            with contextlib.suppress(FileNotFoundError), self.watched(), reaching():
                await obstore.delete_async(self._store, key)

    async def under(self, prefix: str) -> AsyncIterator[tuple[str, StoredFile]]:
        """Every file under a folder of the store, in no order."""
        stream = obstore.list(self._store, prefix)
        while True:
            with self.watched(), reaching():
                some = await anext(stream, None)
            if some is None:
                return
            for meta in some:
                yield meta["path"], _found(meta)


def _sending(file: Complete) -> Any:
    return {
        "attributes": {"Content-Type": file.mime},
        "chunk_size": PART_BYTES,
        "max_concurrency": PARTS_AT_ONCE,
    }


@contextlib.contextmanager
def reaching(*, missing_is_away: bool = False) -> Iterator[None]:
    """Turn what obstore raises into Away. FileNotFoundError stays, unless it can only mean that the bucket is gone."""
    try:
        yield
    except FileNotFoundError as error:
        if not missing_is_away:
            raise
        raise away(error, reason_of(error), "store_refuses") from None
    except BaseError as error:
        reason = reason_of(error)
        refused = reason.startswith("40") or isinstance(error, (PermissionDeniedError, UnauthenticatedError))
        raise away(error, reason, "store_refuses" if refused else "no_answer") from None


def reason_of(error: Exception) -> str:
    """What a store's error says, in short: its texts may quote the request with the key that signed it."""
    said = str(error)
    code = re.search(r"<Code>(\w+)</Code>", said)
    status = re.search(r"status code: (\d{3})", said)
    if code or status:
        return " ".join(found.group(1) for found in (status, code) if found)
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return "the credentials are refused"
    return "no connection" if "error sending request" in said else type(error).__name__


def _pieces(result: obstore.GetResult) -> Iterator[bytes]:
    stream = result.stream(READ_BYTES)
    while True:
        with reaching():
            piece = next(stream, b"")
        if not piece:
            return
        yield bytes(piece)


def _range(start: int, end: int | None) -> Any:
    if end is None:
        return {"range": {"offset": start}} if start else None
    return {"range": (start, end)}


def _found(meta: obstore.ObjectMeta) -> StoredFile:
    return StoredFile(meta["size"], int(meta["last_modified"].timestamp() * 1000))
