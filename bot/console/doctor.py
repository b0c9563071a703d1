"""What `doctor` looks at outside the data: the disk, the database file, the photos, Telegram."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from pathlib import Path

from bot.checks import Check
from bot.errors import RetryLater
from bot.media.shelf import Complete, Shelf, key_of
from bot.media.stores import open_shelf
from bot.settings import Settings
from storage.database import Database
from storage.machine import media, townships

LEAST_FREE_BYTES = 1 << 30
SHARES = 256  # of all photos, by the first byte of their hashes: one is looked at at a time
NAMED_LARGEST = 5
CLOCK_MS = 2_000


async def look_around(settings: Settings) -> list[Check]:
    """Disk space, the database's own integrity check, and whether Telegram knows the token."""
    free = shutil.disk_usage(settings.data_dir).free
    path = settings.database_path
    checks = [
        Check("disk", free > LEAST_FREE_BYTES, f"{free >> 20} MiB free in {settings.data_dir}"),
        await server_check(settings.database) if path is None else _file_check(path),
        Check("address", True, settings.address),
        await media_check(settings),
    ]
    named = {"telegram": settings.telegram_token}
    named |= {f"telegram {code}": token for code, token in settings.telegram_tokens.items()}
    checks += [await telegram_check(settings, name, token) for name, token in named.items() if token]
    return checks


def _file_check(path: Path) -> Check:
    with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return Check("database", integrity == "ok", f"{path}, {path.stat().st_size >> 20} MiB, integrity {integrity}")


async def telegram_check(settings: Settings, name: str, token: str) -> Check:
    """Whether the token is known, and whether updates come the way they are expected."""
    from telegram import Bot
    from telegram.error import InvalidToken, TelegramError

    from bot.channels.telegram.library import PoolRequest

    base = settings.telegram_api_url
    request = PoolRequest(base)
    try:
        async with Bot(token, base_url=f"{base}/bot", request=request, get_updates_request=request) as bot:
            webhook = await bot.get_webhook_info()
    except InvalidToken:  # its text tells the token
        return Check(name, False, f"{base}: the token is refused")
    except TelegramError as error:
        return Check(name, False, f"{base}: {error.message}")
    seen = f"@{bot.username} at {base}, {webhook.pending_update_count} updates waiting"
    if webhook.last_error_message:
        seen += f", Telegram's last call failed: {webhook.last_error_message}"
    if webhook.url and settings.telegram_mode == "poll":
        seen += ", a webhook is set: it goes when the program starts, unless another program sets it"
    return Check(name, True, seen)


async def server_check(url: str) -> Check:
    """Which server it is, whether a crash loses nothing there, and whether its clock is ours."""
    from storage.engine.server import server_facts

    facts = await server_facts(url)
    durable = facts.fsync and facts.synchronous_commit and facts.full_page_writes
    seen = (
        f"PostgreSQL {facts.version}, {facts.size_bytes >> 20} MiB, {facts.connections_free} connections free,"
        f" clock {facts.clock_ahead_ms:+d} ms"
    )
    if not durable:
        seen += ", a crash may lose data: fsync, synchronous_commit and full_page_writes must be on"
    if not facts.autovacuum:
        seen += ", autovacuum must be on: without it plans grow old and the disk full"
    if abs(facts.clock_ahead_ms) > CLOCK_MS:
        seen += ", set both clocks by the same time server"
    return Check("database", durable and facts.autovacuum and abs(facts.clock_ahead_ms) <= CLOCK_MS, seen)


async def media_check(settings: Settings) -> Check:
    """Whether the store of photos can be written, read and deleted from with these settings."""
    shelf = open_shelf(settings)
    shelf.waiting.mkdir(parents=True, exist_ok=True)
    name = f"doctor-{secrets.token_hex(8)}"
    local = shelf.waiting / name
    local.write_bytes(name.encode())
    try:
        await shelf.put([Complete(name, local, "text/plain")])
        seen = b"".join([piece async for piece in shelf.read(name)])
        await shelf.delete([name])
        left = await shelf.find(name)
    except (RetryLater, OSError) as error:
        return Check("media", False, f"{shelf.name}: {error}")
    finally:
        local.unlink(missing_ok=True)
    if seen != name.encode() or left is not None:
        return Check("media", False, f"{shelf.name}: does not give back what was stored, or keeps what was deleted")
    return Check("media", True, f"{shelf.name}: written, read, deleted")


async def photos_check(shelf: Shelf, database: Database) -> Check:
    """Whether every photo that the database names is in the store, as after a database was put back."""
    count, lost = 0, list[str]()
    try:
        for row in await database.read(townships.every_name):
            for share in range(SHARES):
                named, missing = await _share(shelf, database, row["township_id"], f"{share:02x}")
                count += named
                lost += missing
    except RetryLater as error:
        return Check("photos", False, f"{shelf.name}: {error}")
    some = f": {', '.join(lost[:NAMED_LARGEST])}" if lost else ""
    return Check("photos", not lost, f"{count} in the database, {len(lost)} of them not in the store{some}")


async def _share(shelf: Shelf, database: Database, township_id: int, first: str) -> tuple[int, list[str]]:
    """How many photos have hashes that begin so, and which of them are not in the store."""
    named = await database.read(lambda tx: media.files(tx, first), township_id=township_id)
    if not named:
        return 0, []
    there = {key async for key, _ in shelf.under(key_of(first, township_id).rstrip("/"))}
    return len(named), [key for sha256 in named if (key := key_of(sha256, township_id)) not in there]
