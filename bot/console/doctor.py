"""What `doctor` looks at outside the data: the program, its address, disk, database file, photos, Telegram."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from bot.app import AlreadyRunning, lock
from bot.checks import Check
from bot.clock import SystemClock
from bot.console.backups import making
from bot.console.reach import address_check, files_check, push_check
from bot.console.words import is_said, operator_language, render, say
from bot.errors import RetryLater
from bot.i18n import Catalogues
from bot.media.shelf import Complete, Shelf, key_of
from bot.media.stores import open_shelf
from bot.settings import Settings
from bot.talk.messages import Words, text
from bot.vault import locks
from storage.database import Database
from storage.machine import channel_faults, media, townships

LEAST_FREE_BYTES = 1 << 30
SHARES = 256  # of all photos, by the first byte of their hashes: one is looked at at a time
NAMED_LARGEST = 5
CLOCK_MS = 2_000
HOUR_MS = 3_600_000
OLDEST_BACKUP_HOURS = 48


def check_line(check: Check) -> str:
    """Whether one thing is as it must be, its name, and what was seen."""
    mark = say("mark.ok" if check.ok else "mark.warning" if check.warning else "mark.bad")
    key = f"check.{check.name.replace(' ', '_')}.name"
    name = say(key) if is_said(key) else check.name
    of = f"{check.of}: " if check.of else ""
    return say("check.line", mark=mark, name=f"{of}{name}", seen=seen_of(check))


def seen_of(check: Check) -> str:
    """What was seen, in the operator's language."""
    seen = check.seen if isinstance(check.seen, tuple) else (check.seen,)
    return "; ".join(render(one) for one in seen)


async def look_around(settings: Settings) -> list[Check]:
    """Whether it runs, who reaches it, disk space, the server of the database, backups, Telegram's token."""
    free = shutil.disk_usage(settings.data_dir).free
    checks = [
        Check("disk", free > LEAST_FREE_BYTES, text("check.disk.seen", mib=free >> 20, path=settings.data_dir)),
        address_check(settings),
        push_check(settings),
        await media_check(settings),
    ]
    if settings.database_path is None:
        checks.insert(1, await server_check(settings.database))
    else:  # a server's workers and backups are not ours to see
        checks[:0] = [running_check(settings)]
        checks.append(backup_check(settings, SystemClock().now_ms()))
    made = making.last_made(settings)
    checks.append(files_check(settings, made.file if made else None))
    named = {"telegram": settings.telegram_token}
    named |= {f"telegram {code}": token for code, token in settings.telegram_tokens.items()}
    checks += [await telegram_check(settings, name, token) for name, token in named.items() if token]
    return checks


def running_check(settings: Settings) -> Check:
    """Whether a process serves this DATA_DIR."""
    try:
        lock(settings.data_dir).close()
    except AlreadyRunning as error:
        return Check("program", True, text("check.program.runs", pid=error.pid))
    return Check("program", False, text("check.program.stopped"), warning=True)


def backup_check(settings: Settings, now_ms: int) -> Check:
    """How old the newest backup is, and whether it is still where it was put."""
    made = making.last_made(settings)
    if made is None:
        return Check("backup", False, text("check.backup.none"), warning=True)
    hours = max(0, now_ms - made.at_ms) // HOUR_MS
    old = text("check.backup.hours", count=hours) if hours < 48 else text("check.backup.days", count=hours // 24)
    if not made.file.exists():
        return Check("backup", False, text("check.backup.gone", old=old, path=made.file), warning=True)
    late = hours > OLDEST_BACKUP_HOURS
    key = "check.backup.late" if late else "check.backup.seen"
    return Check("backup", not late, text(key, old=old, path=made.file), warning=True)


def pages_check(settings: Settings) -> Check:
    """The file of a database that was read whole before this (`up_to_date`); nobody asks a server to read its own."""
    path = settings.database_path
    if path is None:
        return Check("pages", True, text("check.pages.server"))
    return Check("database", True, text("check.database.file", path=path, mib=path.stat().st_size >> 20))


async def vault_check(settings: Settings, database: Database) -> Check:
    """Whether the key of what is sealed is there, apart from the data and the backups, and for its owner's eyes."""
    path = settings.vault_key
    if database.vault is None:
        sealed = await locks(database)
        return Check("vault", False, text(f"check.vault.{'none' if sealed else 'not_made'}", path=path), warning=True)
    if path.stat().st_mode & 0o077:
        return Check("vault", False, text("check.vault.open", path=path), warning=True)
    if on_one_disk(path, settings.data_dir):
        return Check("vault", False, text("check.vault.beside", path=path), warning=True)
    made = making.last_made(settings)
    folder = made.file.parent if made is not None else None
    if folder is not None and folder.exists() and on_one_disk(path, folder):
        return Check("vault", False, text("check.vault.with_backups", path=path, folder=folder), warning=True)
    return Check("vault", True, text("check.vault.seen", path=path))


def on_one_disk(one: Path, other: Path) -> bool:
    """Whether both lie on the same disk."""
    return one.stat().st_dev == other.stat().st_dev


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
        return Check(name, False, text("check.telegram.refused", base=base))
    except TelegramError as error:
        return Check(name, False, f"{base}: {error.message}")
    waiting = webhook.pending_update_count
    seen: list[Words] = [text("check.telegram.seen", bot=bot.username, base=base, waiting=waiting)]
    if webhook.last_error_message:
        seen.append(text("check.telegram.last", said=webhook.last_error_message))
    if webhook.url and settings.telegram_mode == "poll":
        seen.append(text("check.telegram.webhook"))
    return Check(name, True, tuple(seen))


async def server_check(url: str) -> Check:
    """Which server it is, whether a crash loses nothing there, and whether its clock is ours."""
    from storage.engine.server import server_facts

    facts = await server_facts(url)
    durable = facts.fsync and facts.synchronous_commit and facts.full_page_writes
    seen: list[Words] = [
        text(
            "check.server.seen",
            version=facts.version,
            mib=facts.size_bytes >> 20,
            free=facts.connections_free,
            ahead=f"{facts.clock_ahead_ms:+d}",
        )
    ]
    if not durable:
        seen.append(text("check.server.not_durable"))
    if not facts.autovacuum:
        seen.append(text("check.server.no_autovacuum"))
    if abs(facts.clock_ahead_ms) > CLOCK_MS:
        seen.append(text("check.server.clock"))
    return Check("database", durable and facts.autovacuum and abs(facts.clock_ahead_ms) <= CLOCK_MS, tuple(seen))


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
        return Check("media", False, text("check.store", store=shelf.name, said=error))
    finally:
        local.unlink(missing_ok=True)
    if seen != name.encode() or left is not None:
        return Check("media", False, text("check.media.other", store=shelf.name))
    return Check("media", True, text("check.media.seen", store=shelf.name))


async def troubles_check(settings: Settings, database: Database) -> Check:
    """What the program itself has noted that does not work: which part, since when, why, in the words of the digest."""
    said = Catalogues(settings.zone, operator_language())[operator_language()]
    rows = await database.read(channel_faults.of_all)
    seen = []
    for row in rows:
        part = text(f"channel.{row['channel']}|trouble.part.{row['channel']}|trouble.part.other", name=row["channel"])
        what = text(f"trouble.{row['fault']}|trouble.other", fault=row["fault"])
        seen.append(said.render(text("trouble.line", channel=part, since_ms=row["since_ms"], what=what)))
    return Check("troubles", not rows, tuple(dict.fromkeys(seen)) or text("check.troubles.none"))


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
        return Check("photos", False, text("check.store", store=shelf.name, said=error))
    key = "check.photos.lost" if lost else "check.photos.seen"
    seen = text(key, count=count, lost=len(lost), names=", ".join(lost[:NAMED_LARGEST]))
    return Check("photos", not lost, seen)


async def _share(shelf: Shelf, database: Database, township_id: int, first: str) -> tuple[int, list[str]]:
    """How many photos have hashes that begin so, and which of them are not in the store."""
    named = await database.read(lambda tx: media.files(tx, first), township_id=township_id)
    if not named:
        return 0, []
    there = {key async for key, _ in shelf.under(key_of(first, township_id).rstrip("/"))}
    return len(named), [key for sha256 in named if (key := key_of(sha256, township_id)) not in there]
