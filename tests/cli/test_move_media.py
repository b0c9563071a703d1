"""`python -m bot move --media-to`: photos and videos from a folder into an S3 store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.console.move import address_of, move
from bot.console.move_media import MoveError
from bot.console.townships import opened
from bot.media.shelf import Complete, Shelf
from bot.media.shelf_s3 import S3Shelf
from bot.media.store import MediaStore
from bot.media.stores import open_shelf
from bot.settings import Settings
from storage.database import Tx
from storage.engine.opening import bring_up_to_date, open_database
from tests.cli.moving import in_file, on_server, quiet
from tests.cli.test_keeping import OWNER, add_with_original, full_size, stored
from tests.fakes.pictures import photo
from tests.fakes.s3 import s3_server
from tests.postgres import PostgresServer
from tests.talk.test_pictures import movie

TOWN = "INSERT INTO townships VALUES (:t, :code, 'A', 'B', 'C', 1, 1)"


async def deployment(settings: Settings) -> Settings:
    """Two townships with some photos and a video, in the folder and the database that the settings name."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await bring_up_to_date(settings.database, now_ms=1)
    database = await open_database(settings.database)
    try:
        for township_id, contents in ((1, [photo(1), photo(2), movie()]), (2, [photo(2), photo(3)])):

            async def work(tx: Tx) -> None:
                await tx.run(TOWN, {"code": str(tx.township_id)})

            await database.transaction(work, township_id=township_id)
            store = MediaStore(open_shelf(settings), database, township_id=township_id)
            for content in contents:
                await store.save_bytes(OWNER, content)
    finally:
        await database.close()
    await open_shelf(settings).mark("no/bodys")
    return settings


@pytest.fixture
async def folder(tmp_path: Path) -> Settings:
    """A deployment with a file and a folder, whose MEDIA_S3_… lead to the S3 server."""
    return await deployment(s3_server().settings(tmp_path / "data", media_url=""))


@pytest.fixture
async def bucket() -> str:
    """The address of an empty bucket."""
    return f"s3://{s3_server().bucket()}/the/town"


def in_bucket(settings: Settings, bucket: str) -> Shelf:
    return open_shelf(settings.model_copy(update={"media_url": bucket}))


async def test_what_the_database_names_is_in_the_store(folder: Settings, bucket: str) -> None:
    done = await move(folder, to=None, media_to=bucket, progress=quiet)
    before, after = await stored(open_shelf(folder)), await stored(in_bucket(folder, bucket))
    assert done.photos == 5 and len(after) == 4 * 3 + 2
    assert after == {key: before[key] for key in before if key != "no/bodys"}
    assert not list((folder.data_dir / "media" / "incoming").iterdir())


async def test_originals_go_with_their_copies_in_full_size(folder: Settings, bucket: str) -> None:
    media_id = await add_with_original(folder)
    assert (await move(folder, to=None, media_to=bucket, progress=quiet)).photos == 7
    after = await stored(in_bucket(folder, bucket))
    assert sum(name.endswith(".full") for name in after) == 1
    there = folder.model_copy(update={"media_url": bucket})
    assert await full_size(there, media_id) == await full_size(folder, media_id)


async def test_a_second_run_stores_only_what_is_not_there_as_it_was(
    folder: Settings, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await move(folder, to=None, media_to=bucket, progress=quiet)
    new = in_bucket(folder, bucket)
    missing, wrong, *_ = sorted(whole := await stored(new))
    await new.delete([missing])
    local = folder.data_dir / "wrong"
    local.write_bytes(b"?" * len(whole[wrong]))  # as long as it has to be
    await new.put([Complete(wrong, local, "image/jpeg")])
    put: list[str] = []
    real = S3Shelf.put

    async def noting(self: S3Shelf, files: Sequence[Complete]) -> None:
        put.extend(file.key for file in files)
        await real(self, files)

    monkeypatch.setattr(S3Shelf, "put", noting)
    await move(folder, to=None, media_to=bucket, progress=quiet)
    assert await stored(new) == whole
    assert sorted(put) == [missing, wrong]


async def test_a_break_is_made_good_by_the_next_run(folder: Settings, bucket: str) -> None:
    class Break(Exception):
        pass

    def after_two(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise Break

    with pytest.raises(Break):
        await move(folder, to=None, media_to=bucket, progress=after_two)
    assert 0 < len(await stored(in_bucket(folder, bucket))) < 14
    await move(folder, to=None, media_to=bucket, progress=quiet)
    assert len(await stored(in_bucket(folder, bucket))) == 14


async def test_what_is_lost_or_damaged_is_named_and_the_rest_is_there(folder: Settings, bucket: str) -> None:
    files = sorted(await stored(open_shelf(folder)))
    lost = next(name for name in files if name.endswith(".thumb"))
    damaged = next(name for name in files if "." not in name and name != "no/bodys" and not lost.startswith(name))
    await open_shelf(folder).delete([lost])
    await open_shelf(folder).mark(damaged)
    with pytest.raises(MoveError, match="Put these back from a backup") as refused:
        await move(folder, to=None, media_to=bucket, progress=quiet)
    assert lost in str(refused.value) and f"{damaged} (damaged)" in str(refused.value)
    assert sorted(await stored(in_bucket(folder, bucket))) == sorted({*files} - {lost, damaged, "no/bodys"})


async def test_a_store_that_is_away_or_the_same_is_said(folder: Settings, bucket: str, tmp_path: Path) -> None:
    away = folder.model_copy(update={"media_s3_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(MoveError, match=r"media store: no connection\. Then run the same again"):
        await move(away, to=None, media_to=bucket, progress=quiet)
    with pytest.raises(MoveError, match=r"NoSuchBucket|404"):
        await move(folder, to=None, media_to="s3://nowhere-at-all/a", progress=quiet)
    with pytest.raises(MoveError, match="--media-to: must be s3://bucket"):
        await move(folder, to=None, media_to="/mnt/photos", progress=quiet)
    there = folder.model_copy(update={"media_url": bucket})
    with pytest.raises(MoveError, match="already"):
        await move(there, to=None, media_to=bucket, progress=quiet)


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    url = await postgres.fresh()
    yield url
    await postgres.drop(url)


async def test_the_photos_go_before_the_database(
    folder: Settings, bucket: str, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr("bot.console.move.check_all", nothing)  # townships without a boundary
    away = folder.model_copy(update={"media_s3_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(MoveError, match="no connection"):
        await move(away, to=address_of(empty), media_to=bucket, progress=quiet)
    assert await on_server(empty) == {}
    done = await move(folder, to=address_of(empty), media_to=bucket, progress=quiet)
    assert done.photos == 5 and done.rows > 5
    assert await on_server(empty) == in_file(folder.data_dir / "jingxiang.db")


async def test_photos_of_a_database_on_a_server(tmp_path: Path, empty: str, bucket: str) -> None:
    settings = await deployment(s3_server().settings(tmp_path / "data", media_url="", database_url=empty))
    async with opened(settings):
        with pytest.raises(MoveError, match="stop them first"):
            await move(settings, to=None, media_to=bucket, progress=quiet)
    assert (await move(settings, to=None, media_to=bucket, progress=quiet)).photos == 5
    assert len(await stored(in_bucket(settings, bucket))) == 14
    with pytest.raises(MoveError, match="DATABASE_URL is PostgreSQL already"):
        await move(settings, to=address_of(empty), progress=quiet)
