"""Photos in an S3-compatible store, as a browser, an operator and a bot see them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from PIL import Image
from pydantic import ValidationError
from structlog.testing import capture_logs

from bot.channels.base import Letter
from bot.channels.telegram.channel import Telegram
from bot.clock import SystemClock
from bot.console.doctor import media_check, photos_check, seen_of
from bot.errors import GiveUp, RetryLater
from bot.media.shelf import FolderShelf, Shelf
from bot.media.shelf_s3 import S3Shelf
from bot.media.store import MediaStore
from bot.media.stores import open_shelf
from bot.settings import Settings, faults
from bot.talk.messages import Out
from bot.web.ranges import NoSuchPart, part_of
from storage.database import Database
from storage.vault.files import head_of
from tests.channels.website import Page, Site, serving
from tests.fakes.botapi import FakeBotApi
from tests.fakes.pictures import photo
from tests.fakes.s3 import HOST, SECRET_KEY, Line, S3Server, s3_server
from tests.talk.test_pictures import movie

OWNER = "web:" + "a" * 64
TOWNSHIP = "INSERT INTO townships VALUES (:t, '620622101', '某镇', '', '', 1, 1)"


@pytest.fixture
def server() -> S3Server:
    return s3_server()


def of_store(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in Settings.model_fields if name.startswith("media_")}


@pytest.fixture
async def site(server: S3Server, tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, **of_store(server.settings(tmp_path))) as served:
        yield served


async def upload(page: Page, content: bytes) -> str:
    status, answer = await page.uploads(content)
    assert status == 201, answer
    return str(answer["id"])


async def keys(shelf: Shelf) -> list[str]:
    return [key async for key, _ in shelf.under("")]


# -- shown by the program: the store has nothing that anybody could read


async def test_the_store_holds_nothing_readable_and_who_may_look_sees_it_all(server: S3Server, site: Site) -> None:
    owner, other = await site.page(), await site.page()
    media_id = await upload(owner, photo(1, (600, 400)))
    for path, size in ((f"/media/{media_id}", (600, 400)), (f"/media/{media_id}?size=thumb", (320, 213))):
        status, content, headers = await owner.get(path)
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(content)).size == size
    assert (await other.get(f"/media/{media_id}"))[0] == 404
    shelf = open_shelf(site.settings)
    stored = await keys(shelf)
    assert len(stored) == 3
    for key in stored:
        content = b"".join([piece async for piece in shelf.read(key)])
        assert head_of(content) and b"JFIF" not in content and b"Exif" not in content
    assert server.url not in (await owner.get("/"))[2]["Content-Security-Policy"]


async def test_a_video_plays_from_any_point(server: S3Server, tmp_path: Path) -> None:
    settings = server.settings(tmp_path)
    async with serving(tmp_path, **of_store(settings)) as site:
        page = await site.page()
        media_id = await upload(page, movie())
        status, content, headers = await page.get(f"/media/{media_id}")
        assert (status, headers["Content-Type"], len(content)) == (200, "video/mp4", len(movie()))
        for wanted, part in (("24-99", content[24:100]), ("3000-", content[3000:]), ("-40", content[-40:])):
            status, got, headers = await page.get(f"/media/{media_id}", Range=f"bytes={wanted}")
            assert (status, got) == (206, part) and headers["Content-Range"].endswith(f"/{len(content)}")
        assert (await page.get(f"/media/{media_id}", Range="bytes=999999-"))[0] == 416


async def test_a_part_of_a_photo_is_for_who_has_the_rest(server: S3Server, tmp_path: Path) -> None:
    settings = server.settings(tmp_path)
    async with serving(tmp_path, **of_store(settings)) as site:
        page = await site.page()
        media_id = await upload(page, photo(1, (600, 400)))
        async with page.http.get(f"{page.url}/media/{media_id}", allow_redirects=False) as response:
            assert response.status == 200 and response.headers["Accept-Ranges"] == "bytes"
            assert Image.open(io.BytesIO(await response.read())).size == (600, 400)
            etag = response.headers["ETag"]
        assert (await page.get(f"/media/{media_id}", Range="bytes=0-9", **{"If-Range": etag}))[0] == 206
        assert (await page.get(f"/media/{media_id}", Range="bytes=0-9", **{"If-Range": '"other"'}))[0] == 200
        assert server.url not in (await page.get("/"))[2]["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 10)),
        ("bytes=5-400", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-300", (0, 10)),
        ("bytes=-", None),
        ("bytes=4-2", None),
        ("bytes=0-1,4-5", None),
        ("seconds=1-2", None),
    ],
)
def test_the_part_that_was_asked_for(header: str | None, part: tuple[int, int] | None) -> None:
    assert part_of(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_part_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(NoSuchPart):
        part_of(header, 10)


# -- a store that fails


async def test_an_upload_that_the_store_can_t_take_is_sent_again_later(server: S3Server, tmp_path: Path) -> None:
    async with Line(server.port) as line:
        settings = server.settings(tmp_path, media_s3_endpoint=f"http://{HOST}:{line.port}")
        async with serving(tmp_path, **of_store(settings)) as site:
            page = await site.page()
            seen = await upload(page, photo(9))
            line.cut_after_bytes = 0
            with capture_logs() as logs:
                async with page.http.post(f"{page.url}/api/media", data=photo(), headers={"X-Jingxiang": "1"}) as said:
                    answer = await said.json()
                    assert (said.status, answer["error"]) == (503, "store_away") and "照片" in answer["text"]
                    assert int(said.headers["Retry-After"]) >= 1
            told = [(entry["event"], entry["part"]) for entry in logs if entry["log_level"] != "debug"]
            assert told == [("trouble.began", "media")]
            assert (await page.get(f"/media/{seen}"))[0] == 503
            assert not await site.rows("SELECT id FROM media WHERE township_id = :t AND id <> :seen", seen=seen)
            assert not list((tmp_path / "media" / "incoming").iterdir())
            line.mend()
            await upload(page, photo())
            assert (await page.get(f"/media/{seen}"))[0] == 200


async def test_half_an_upload_is_nothing(server: S3Server, tmp_path: Path, sqlite_database: Database) -> None:
    """The line to the store breaks in the middle of a video of several parts."""
    content = movie() + b"\0\xa0\0\0free" + bytes(0xA00000 - 8)
    async with Line(server.port) as line:
        settings = server.settings(tmp_path)
        shelf = open_shelf(settings.model_copy(update={"media_s3_endpoint": f"http://{HOST}:{line.port}"}))
        store = MediaStore(shelf, sqlite_database)
        line.cut_after_bytes = 7_000_000
        with pytest.raises(RetryLater):
            await store.save_bytes(OWNER, content)
        assert line.is_cut and await keys(open_shelf(settings)) == []
        line.mend()
        media_id = await store.save_bytes(OWNER, content)
        found = await store.viewing_copy(media_id)
        assert found is not None and not isinstance(found[0], bytes)
        assert sum([len(piece) async for piece in found[0]]) == len(content)
    assert len(await keys(open_shelf(settings))) == 2


@pytest.fixture
def only_known_keys(server: S3Server) -> Iterator[None]:
    server.check_keys(True)
    yield
    server.check_keys(False)


# -- what doctor sees


async def test_doctor_tries_the_store(server: S3Server, tmp_path: Path) -> None:
    for settings in (server.settings(tmp_path), Settings(_env_file=None, data_dir=tmp_path)):
        check = await media_check(settings)
        assert check.ok and "written, read, deleted" in seen_of(check)
        assert await keys(open_shelf(settings)) == []


@pytest.mark.usefixtures("only_known_keys")
async def test_doctor_names_wrong_credentials(server: S3Server, tmp_path: Path) -> None:
    settings = server.settings(tmp_path, media_url="s3://some-bucket")
    check = await media_check(settings)
    assert not check.ok and seen_of(check).endswith("403 InvalidAccessKeyId") and SECRET_KEY not in seen_of(check)


async def test_doctor_names_a_bucket_that_is_not_there_and_a_store_that_is_away(
    server: S3Server, tmp_path: Path
) -> None:
    check = await media_check(server.settings(tmp_path, media_url="s3://no-such-bucket"))
    assert not check.ok and seen_of(check).endswith("404 NoSuchBucket")
    check = await media_check(server.settings(tmp_path, media_s3_endpoint=f"http://{HOST}:1"))
    assert not check.ok and seen_of(check).endswith("no connection")


async def test_doctor_names_photos_that_are_lost(server: S3Server, tmp_path: Path, sqlite_database: Database) -> None:
    await sqlite_database.transaction(lambda tx: tx.run(TOWNSHIP))
    for shelf in (open_shelf(server.settings(tmp_path)), FolderShelf(tmp_path / "folder")):
        store = MediaStore(shelf, sqlite_database)
        for seed in range(3):
            await store.save_bytes(OWNER, photo(seed))
        assert (await photos_check(shelf, sqlite_database)).ok
        key = min(key for key in await keys(shelf) if "." not in key)
        await shelf.delete([key])
        check = await photos_check(shelf, sqlite_database)
        assert not check.ok and seen_of(check) == f"3 in the database, 1 of them not in the store: {key}"


# -- to Telegram


async def test_a_video_goes_to_telegram_and_comes_back_in_pieces(
    server: S3Server, tmp_path: Path, sqlite_database: Database
) -> None:
    store = MediaStore(open_shelf(server.settings(tmp_path)), sqlite_database)
    media_ids = tuple([await store.save_bytes(OWNER, content) for content in (movie(), photo())])
    async with FakeBotApi() as api:
        settings = Settings(_env_file=None, telegram_api_url=api.url, telegram_rate_per_second=0)
        telegram = Telegram(settings, SystemClock(), store, token=api.token, township_id=1)
        await telegram.start(nobody)
        try:
            aunt = api.user("王大娘")
            await aunt.says("/start")
            out = Out("看看", media=media_ids)
            await telegram.send(Letter(1, 1, 1, "telegram", f"telegram:{aunt.id}", out, 0, None, 0))
            video, picture, words = [await aunt.hears() for _ in range(3)]
            assert words.text == "看看"
            assert video.files == (await shown(store, media_ids[0]),)
            assert picture.files == (await shown(store, media_ids[1]),)
            pieces = [piece async for piece in telegram.fetch(video.raw["video"]["file_id"])]
            assert b"".join(pieces) == video.files[0]
            with pytest.raises(GiveUp):
                _ = [piece async for piece in telegram.fetch("no-such-file")]
        finally:
            await telegram.stop()


async def nobody(_: object) -> None:
    """Updates are not looked at here."""


async def shown(store: MediaStore, media_id: str) -> bytes:
    found = await store.shown(media_id)
    assert found is not None
    return b"".join([piece async for piece in found.read(0, found.size_bytes)])


# -- settings


def test_the_bucket_may_be_a_part_of_the_host_s_name(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        media_url="s3://town/photos",
        media_s3_endpoint="https://oss-cn-lanzhou.example.com",
        media_s3_virtual_host=True,
    )
    shelf = S3Shelf(settings.model_copy(update={"media_s3_access_key": "x", "media_s3_secret_key": "x"}))
    asked = obstore.sign(shelf._store, "GET", "photo", timedelta(seconds=60))
    assert asked.startswith("https://town.oss-cn-lanzhou.example.com/photos/photo")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"media_url": "/some/folder"}, "bucket"),
        ({"media_url": "s3://"}, "bucket"),
        ({"media_s3_endpoint": "minio:9000"}, "http"),
        ({"media_s3_access_key": "k"}, "keys_together"),
        ({"media_s3_virtual_host": True}, "needs"),
    ],
)
def test_a_setting_that_can_t_work_is_refused(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **wrong)
    assert [fault.code for fault in faults(refused.value)] == [code]
