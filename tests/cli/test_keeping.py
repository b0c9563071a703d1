"""Backup and restore, end to end, from and to a folder and S3, also while somebody writes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pyrage
import pytest
from bech32 import bech32_encode, convertbits

from bot.console.backups.contents import KeepingError, named
from bot.console.backups.making import make_backup
from bot.console.backups.restoring import restore
from bot.media.shelf import Complete, Shelf
from bot.media.store import MediaStore
from bot.media.stores import open_shelf
from bot.settings import Settings
from bot.vault import every_key, open_with_vault
from storage.engine.opening import bring_up_to_date, open_database
from storage.vault.age import decrypting
from storage.vault.files import head_of
from storage.vault.keyfile import KeyFileProblem, make_key, write_key
from storage.vault.sealing import index_of
from tests.channels.website import Page, serving
from tests.cli.moving import quiet
from tests.fakes.pictures import photo
from tests.fakes.s3 import s3_server
from tests.stories.test_originals import original, smaller
from tests.talk.test_pictures import movie

OWNER = "web:" + "a" * 64
Make = Callable[[Path], Settings]


def key_of(folder: Path) -> Path:
    """The key of all deployments of a test, apart from their data."""
    return folder.parent / "stick" / "vault.key"


def in_a_folder(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder, vault_key_file=key_of(folder))


def in_s3(folder: Path) -> Settings:
    return s3_server().settings(folder, vault_key_file=key_of(folder))


@pytest.fixture(params=[in_a_folder, in_s3])
def make(request: pytest.FixtureRequest) -> Make:
    """Settings for a new deployment whose photos lie in a folder, or in a new bucket."""
    made: Make = request.param
    return made


async def town(settings: Settings, photos: int = 2) -> Settings:
    """A database with a timer, and some photos and a video behind it."""
    settings.data_dir.mkdir(parents=True)
    await bring_up_to_date(settings.database, now_ms=1)
    with sqlite3.connect(settings.data_dir / "jingxiang.db") as connection:
        connection.execute("INSERT INTO timers VALUES (1, 1, 'k', 'key', 5, '{}', 'due', 0, NULL, NULL)")
    connection.close()
    await add(settings, *(photo(seed) for seed in range(photos)), movie())
    return settings


async def add(settings: Settings, *contents: bytes, township_id: int = 1) -> None:
    database = await open_database(settings.database)
    try:
        store = MediaStore(open_shelf(settings), database, township_id=township_id)
        for content in contents:
            await store.save_bytes(OWNER, content)
    finally:
        await database.close()


async def add_with_original(settings: Settings) -> str:
    """Add a photo that was sent smaller and then followed by its original; the photo's id."""
    database = await open_database(settings.database)

    async def once() -> AsyncIterator[bytes]:
        yield original()

    try:
        store = MediaStore(open_shelf(settings), database)
        media_id = await store.save_bytes(OWNER, smaller())
        await database.transaction(lambda tx: tx.run("UPDATE media SET loose_ms = NULL WHERE township_id = :t"))
        await store.save_original(OWNER, media_id, once(), since_ms=0)
        return media_id
    finally:
        await database.close()


async def full_size(settings: Settings, media_id: str) -> bytes:
    """The copy in full size of a photo's original, opened."""
    database = await open_with_vault(settings)
    try:
        found = await MediaStore(open_shelf(settings), database).original(media_id)
        assert found is not None
        return b"".join([piece async for piece in found.read(0, found.size_bytes)])
    finally:
        await database.close()


async def stored(shelf: Shelf) -> dict[str, bytes]:
    """Everything in the store."""
    return {key: b"".join([piece async for piece in shelf.read(key)]) async for key, _ in shelf.under("")}


def back_up(settings: Settings, folder: Path, stamp: str = "1", keep: int = 0) -> Path:
    return make_backup(settings, folder / "kept", stamp=stamp, keep=keep, progress=quiet).file


async def test_a_backup_comes_back_whole(make: Make, tmp_path: Path) -> None:
    old = await town(make(tmp_path / "old"))
    await add(old, photo(1), township_id=2)
    await open_shelf(old).mark("no/bodys")  # in the store, but no row names it
    new = make(tmp_path / "new")
    restore(back_up(old, tmp_path), new, progress=quiet)
    with sqlite3.connect(tmp_path / "new" / "jingxiang.db") as connection:
        assert connection.execute("SELECT timer_key FROM timers").fetchall() == [("key",)]
        assert connection.execute("SELECT COUNT(*) FROM media").fetchone() == (4,)
    connection.close()
    before, after = await stored(open_shelf(old)), await stored(open_shelf(new))
    assert len(before) == 3 * 3 + 2 + 1 and after == {key: before[key] for key in before if key != "no/bodys"}


async def test_an_original_comes_back_with_its_copy_in_full_size(make: Make, tmp_path: Path) -> None:
    old, new = await town(make(tmp_path / "old"), photos=0), make(tmp_path / "new")
    media_id = await add_with_original(old)
    file = back_up(old, tmp_path)
    restore(file, new, progress=quiet)
    before, after = await stored(open_shelf(old)), await stored(open_shelf(new))
    assert before == after and sum(name.endswith(".full") for name in after) == 1
    assert await full_size(new, media_id) == await full_size(old, media_id)
    full = next(name for name in before if name.endswith(".full"))
    await open_shelf(old).delete([full])
    with pytest.raises(KeepingError, match=r"\.full"):
        back_up(old, tmp_path, stamp="2")


def test_a_database_of_before_has_no_originals(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("CREATE TABLE media (township_id INTEGER, sha256 TEXT, mime TEXT, state TEXT)")
        connection.execute("INSERT INTO media VALUES (1, ?, 'image/jpeg', 'ready')", ("ab" * 32,))
    connection.close()
    [found] = named(tmp_path / "old.db")
    assert not found.full and [name.rpartition(".")[2] for name in found.files[:-1]] == ["view", "thumb"]


async def test_what_is_in_the_bucket_already_may_stay_there(tmp_path: Path) -> None:
    """The machine is lost, the bucket is not."""
    old = await town(in_s3(tmp_path / "old"))
    before = await stored(open_shelf(old))
    await open_shelf(old).delete(sorted(before)[:2])
    new = old.model_copy(update={"data_dir": tmp_path / "new"})
    file = back_up(await town(in_s3(tmp_path / "twin")), tmp_path)
    restore(file, new, progress=quiet)
    assert await stored(open_shelf(new)) == before


async def test_a_photo_is_seen_again_after_a_restore(make: Make, tmp_path: Path) -> None:
    old, new = make(tmp_path / "old"), make(tmp_path / "new")
    old.data_dir.mkdir()
    given = of_store(old)
    async with serving(tmp_path / "old", **given) as site:
        page = await site.page()
        status, answer = await page.uploads(photo(7, (300, 200)))
        assert status == 201
        await page.post(kind="media", media=[answer["id"]], text="桥头")
        before = await page.get(f"/media/{answer['id']}")
        file = await asyncio.to_thread(back_up, old, tmp_path)  # while it serves
        token = page.token
    await asyncio.to_thread(restore, file, new, progress=quiet)
    async with serving(tmp_path / "new", **of_store(new)) as site:
        page = Page(site.url)
        site.pages.append(page)
        page.http.cookie_jar.update_cookies({"jingxiang": token})
        after = await page.get(f"/media/{answer['id']}")
        assert after[:2] == before[:2] and after[0] == 200
        history = await page.history()
        assert next(item["id"] for message in history["messages"] for item in message["media"]) == answer["id"]


def of_store(settings: Settings) -> dict[str, str]:
    named = ("media_u", "media_s3", "vault_key")
    return {name: getattr(settings, name) for name in Settings.model_fields if name.startswith(named)}


async def test_a_backup_while_somebody_writes_is_one_moment(tmp_path: Path) -> None:
    settings = await town(in_a_folder(tmp_path / "old"))
    stop = threading.Event()

    def write() -> None:
        with sqlite3.connect(settings.data_dir / "jingxiang.db", timeout=10) as connection:
            at = 10
            while not stop.is_set():
                for row in (at, at + 1):
                    connection.execute(
                        "INSERT INTO timers VALUES (1, ?, 'k', ?, 5, '{}', 'due', 0, NULL, NULL)", (row, f"k{row}")
                    )
                connection.commit()
                at += 2
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = await asyncio.to_thread(back_up, settings, tmp_path)
    finally:
        stop.set()
        writer.join()
    restore(file, in_a_folder(tmp_path / "new"), progress=quiet)
    with sqlite3.connect(tmp_path / "new" / "jingxiang.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM timers WHERE id >= 10").fetchone()[0] % 2 == 0
    connection.close()


async def test_a_photo_erased_meanwhile_is_no_loss(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    shelf = open_shelf(settings)
    [first, *_] = sorted(key for key in await stored(shelf) if "." not in key)

    def erase(stage: str, done: int, total: int) -> None:
        """After the first copy of the database was made."""
        if stage == "database" and done == total and shelf.find_now(first) is not None:
            with sqlite3.connect(settings.data_dir / "jingxiang.db") as connection:
                connection.execute("UPDATE media SET state = 'erased' WHERE sha256 = ?", (first.replace("/", ""),))
            connection.close()
            asyncio.run(shelf.delete([first, f"{first}.view", f"{first}.thumb"]))

    made = make_backup
    file = (await asyncio.to_thread(made, settings, tmp_path / "kept", stamp="1", progress=erase)).file
    new = make(tmp_path / "new")
    restore(file, new, progress=quiet)
    after = await stored(open_shelf(new))
    assert first not in after and len([key for key in after if "." not in key]) == 2


async def test_a_photo_that_is_lost_or_damaged_is_named(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    shelf = open_shelf(settings)
    key = next(key for key in await stored(shelf) if key.endswith(".thumb"))
    await shelf.delete([key])
    with pytest.raises(KeepingError, match=f"not in .*: {key}$"):
        back_up(settings, tmp_path)
    await add(settings, *(photo(seed) for seed in range(2)))
    original = key.removesuffix(".thumb")
    await shelf.mark(original)
    with pytest.raises(KeepingError, match=f"{original} in .* is damaged"):
        back_up(settings, tmp_path)
    assert not list((tmp_path / "kept").iterdir())


async def test_a_sealed_photo_that_is_damaged_is_named_without_the_key(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"), photos=0)
    database = await open_with_vault(settings)
    await MediaStore(open_shelf(settings), database).save_bytes(OWNER, photo(1))
    await database.close()
    away = settings.vault_key.rename(tmp_path / "away")
    back_up(settings, tmp_path)
    shelf = open_shelf(settings)
    for key, content in (await stored(shelf)).items():
        if key.endswith(".view") and head_of(content):
            shelf.waiting.mkdir(parents=True, exist_ok=True)
            (shelf.waiting / "changed").write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
            await shelf.put([Complete(key, shelf.waiting / "changed", "")])
            with pytest.raises(KeepingError, match=rf"{key} in .* is damaged"):
                back_up(settings, tmp_path, "2")
            break
    else:
        raise AssertionError("nothing is sealed")
    away.rename(settings.vault_key)


async def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    settings = await town(in_a_folder(tmp_path / "old"))
    for stamp in ("1", "2", "3"):
        back_up(settings, tmp_path, stamp, keep=2)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["jingxiang-2.tar.age", "jingxiang-3.tar.age"]


async def test_a_full_folder_and_a_damaged_backup_are_refused(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    file = back_up(settings, tmp_path)
    with pytest.raises(KeepingError, match="not empty"):
        restore(file, settings, progress=quiet)
    new = make(tmp_path / "new")
    whole = file.read_bytes()
    for damaged in (
        whole[:-1],
        whole[:-70_000],  # a piece of age's at the end, whatever the tar file says
        whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        b"no tar at all",
    ):
        file.write_bytes(damaged)
        with pytest.raises(KeepingError, match="not a whole backup"):
            restore(file, new, progress=quiet)
    assert not new.data_dir.exists() or not list(new.data_dir.iterdir())


# -- encrypted


def in_the_clear(file: Path, settings: Settings) -> Path:
    """The same backup as an older version made it."""
    plain = file.with_suffix("")
    with file.open("rb") as source, decrypting(source, every_key(settings)) as opened:
        plain.write_bytes(opened.read())
    return plain


async def test_a_backup_tells_nothing_without_the_key_and_names_what_is_missing(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    file = back_up(settings, tmp_path)
    content = file.read_bytes()
    for told in (b"SQLite format 3", b"manifest.json", b"media/", b"JFIF", b"timers", b"ustar"):
        assert told not in content
    new = make(tmp_path / "new")
    key = settings.vault_key.read_bytes()
    settings.vault_key.unlink()
    with pytest.raises(KeepingError, match=r"is encrypted: put the key file .*vault\.key"):
        restore(file, new, progress=quiet)
    write_key(settings.vault_key, make_key())
    with pytest.raises(KeepingError, match="another key"):
        restore(file, new, progress=quiet)
    assert not new.data_dir.exists() or not list(new.data_dir.iterdir())
    settings.vault_key.write_bytes(key)
    restore(file, new, progress=quiet)


async def test_the_public_half_is_enough_to_make_one(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    database = await open_with_vault(settings)
    await database.transaction(lambda tx: index_of(tx, "something", 1))  # under the key
    await database.close()
    away = settings.vault_key.rename(tmp_path / "in the safe")
    file = back_up(settings, tmp_path)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [file.name]
    away.rename(settings.vault_key)
    restore(file, make(tmp_path / "new"), progress=quiet)
    (settings.data_dir / "vault.pub").write_text("age1nobodyknows")
    back_up(settings, tmp_path)
    settings.vault_key.rename(away)
    with pytest.raises(KeyFileProblem, match="lost"):
        back_up(settings, tmp_path)


async def test_one_of_an_older_version_is_put_back_without_any_key(make: Make, tmp_path: Path) -> None:
    settings = await town(make(tmp_path / "old"))
    plain = in_the_clear(back_up(settings, tmp_path), settings)
    settings.vault_key.unlink()
    restore(plain, make(tmp_path / "new"), progress=quiet)
    assert await stored(open_shelf(settings))
    content = bytearray(plain.read_bytes())
    with tarfile.open(plain) as tar:
        at = next(one for one in tar.getmembers() if one.name.startswith("media/")).offset_data
    content[at] ^= 1
    plain.write_bytes(content)
    with pytest.raises(KeepingError, match=r"media/.* is damaged"):
        restore(plain, make(tmp_path / "other"), progress=quiet)


async def test_the_ordinary_program_opens_one_too(tmp_path: Path) -> None:
    """Should this program be lost: the key file, spelt as age does."""
    settings = await town(in_a_folder(tmp_path / "old"))
    content = back_up(settings, tmp_path).read_bytes()
    [key] = every_key(settings)
    spelt = bech32_encode("age-secret-key-", convertbits(key.private_bytes_raw(), 8, 5)).upper()  # type: ignore[arg-type]
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(content, [pyrage.x25519.Identity.from_str(spelt)]))) as tar:
        assert tar.getnames()[-2:] == ["jingxiang.db", "manifest.json"]


async def test_a_large_one_takes_no_more_memory(tmp_path: Path) -> None:
    """64 MB of photos in a process that may not grow by a half of that."""
    settings = await town(in_a_folder(tmp_path / "old"), photos=0)
    with sqlite3.connect(settings.data_dir / "jingxiang.db") as connection:
        for number in range(4):
            content = os.urandom(1 << 20) * 16
            sha256 = hashlib.sha256(content).hexdigest()
            path = settings.data_dir / "media" / sha256[:2] / sha256[2:]
            path.parent.mkdir(exist_ok=True)
            for end in ("", ".view"):
                path.with_name(path.name + end).write_bytes(content)
            connection.execute(
                "INSERT INTO media (township_id, id, kind, channel, state, sha256, mime, created_ms)"
                " VALUES (1, ?, 'video', 'web', 'ready', ?, 'video/mp4', 1)",
                (str(number), sha256),
            )
    connection.close()
    ran = subprocess.run(
        [sys.executable, "-c", GROWTH, settings.data_dir, settings.vault_key, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) < 32 * 1024, ran.stdout


GROWTH = """
import resource, sys
from pathlib import Path
import pyrage
from bot.console.backups.making import make_backup
from bot.console.backups.restoring import restore
from bot.settings import Settings

old, key, folder = map(Path, sys.argv[1:])
settings = Settings(_env_file=None, data_dir=old, vault_key_file=key)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = make_backup(settings, folder / "kept", stamp="1", progress=lambda *_: None)
restore(made.file, settings.model_copy(update={"data_dir": folder / "new"}), progress=lambda *_: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


async def test_a_store_that_is_away_is_said_and_a_restore_may_be_tried_again(tmp_path: Path) -> None:
    settings = await town(in_s3(tmp_path / "old"))
    nowhere = settings.model_copy(update={"media_s3_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(KeepingError, match="media store: no connection"):
        back_up(nowhere, tmp_path)
    file = back_up(settings, tmp_path)
    new = settings.model_copy(update={"data_dir": tmp_path / "new"})
    with pytest.raises(KeepingError, match="media store: no connection"):
        restore(file, new.model_copy(update={"media_s3_endpoint": "http://127.0.0.1:1"}), progress=quiet)
    restore(file, new, progress=quiet)
    assert (tmp_path / "new" / "jingxiang.db").exists()


def test_a_server_s_database_is_kept_by_its_own_tools(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="postgresql://127.0.0.1/town")
    for work in (lambda: back_up(settings, tmp_path), lambda: restore(tmp_path, settings, progress=quiet)):
        with pytest.raises(KeepingError, match="pg_dump"):
            work()
