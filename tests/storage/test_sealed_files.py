"""Photos and videos sealed at rest: the format, the store on both engines and kinds of stores, and those of before."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RetryLater
from bot.media import earlier
from bot.media.earlier import EarlierPhotos
from bot.media.shelf import FolderShelf, Shelf
from bot.media.store import MediaStore
from bot.media.stores import open_shelf
from storage.database import Database
from storage.engine.opening import open_database
from storage.vault import keys
from storage.vault.files import HEAD, PIECE_BYTES, Checksum, SealedPart, Sealer, head_of, plain_size
from storage.vault.keyfile import make_key
from storage.vault.vault import Purpose, Vault
from tests.fakes.pictures import photo
from tests.fakes.s3 import s3_server
from tests.talk.test_pictures import movie

OWNER = "web:" + "a" * 64
KEY = bytes(range(32))
DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS

# -- the format

sizes = st.sampled_from([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]) | st.integers(
    0, 4 * PIECE_BYTES
)


def sealed(content: bytes, name: str = "ab/cd", *, step: int = 100_000) -> bytes:
    file = io.BytesIO()
    sealer = Sealer(file, KEY, 7, name)
    for at in range(0, len(content), step):
        sealer.write(content[at : at + step])
    sealer.finish()
    return file.getvalue()


def part_of(stored: bytes, start: int, end: int, *, name: str = "ab/cd", step: int = 10_000, key: bytes = KEY) -> bytes:
    head = head_of(stored[: HEAD.size])
    assert head is not None and head.day == 7
    part = SealedPart(key, head, name, len(stored), start, end)
    asked = stored[part.start : part.end]
    found = b"".join(part.add(asked[at : at + step]) for at in range(0, len(asked), step))
    return found + part.finish()


@settings(max_examples=150, deadline=None)
@given(sizes, st.data())
def test_any_part_of_a_file_is_what_it_was(size: int, data: st.DataObject) -> None:
    content = os.urandom(size)
    stored = sealed(content, step=data.draw(st.sampled_from([1_000, PIECE_BYTES, PIECE_BYTES + 1, 1_000_000])))
    assert plain_size(len(stored)) == size
    assert part_of(stored, 0, size) == content
    start = data.draw(st.integers(0, max(0, size - 1)))
    end = data.draw(st.integers(start, size))
    step = data.draw(st.integers(1, 200_000))
    assert part_of(stored, start, end, step=step) == content[start:end]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3 * PIECE_BYTES), st.data())
def test_what_was_changed_anywhere_is_told_with_the_key_and_without(size: int, data: st.DataObject) -> None:
    stored = sealed(os.urandom(size))
    at = data.draw(st.integers(HEAD.size, len(stored) - 33))
    changed = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
    with pytest.raises(ValueError, match="changed"):
        part_of(changed, 0, size)
    for content, sound in ((stored, True), (changed, False), (stored[:-1], False), (stored + b"x", False)):
        checksum = Checksum()
        checksum.update(content[: size // 2])
        checksum.update(content[size // 2 :])
        assert checksum.is_of("whatever") == sound


@pytest.mark.parametrize("pieces", [1, 2])
def test_pieces_that_are_missing_swapped_or_another_file_s_are_told(pieces: int) -> None:
    size = 3 * PIECE_BYTES
    one = PIECE_BYTES + 16
    stored = sealed(os.urandom(size))
    body, tail = stored[HEAD.size : -32], stored[-32:]
    shorter = stored[: HEAD.size] + body[: one * (3 - pieces)] + tail
    swapped = stored[: HEAD.size] + body[one : 2 * one] + body[:one] + body[2 * one :] + tail
    for wrong in (shorter, swapped):
        with pytest.raises(ValueError, match="changed"):
            part_of(wrong, 0, plain_size(len(wrong)))
    with pytest.raises(ValueError, match="changed"):
        part_of(stored, 0, size, name="ef/gh")
    with pytest.raises(ValueError, match="changed"):
        part_of(stored, 0, size, key=bytes(32))


# -- the store


@pytest.fixture(params=[("folder", "sqlite"), ("s3", "postgres")], ids="-".join)
def where(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Where the files lie, and the address of a migrated, empty database."""
    kind, engine = request.param
    return kind, request.getfixturevalue(f"{engine}_url")


@pytest.fixture
async def place(where: tuple[str, str], tmp_path: Path) -> AsyncIterator[tuple[Shelf, Database]]:
    """A store and a database, of a version that seals nothing yet."""
    kind, url = where
    database = await open_database(url)
    shelf = FolderShelf(tmp_path / "media") if kind == "folder" else open_shelf(s3_server().settings(tmp_path))
    yield shelf, database
    await database.close()


async def stored(shelf: Shelf) -> dict[str, bytes]:
    return {key: b"".join([piece async for piece in shelf.read(key)]) async for key, _ in shelf.under("")}


async def sees(store: MediaStore, media_id: str, *, thumb: bool = False) -> bytes | None:
    shown = await store.shown(media_id, thumb=thumb)
    return None if shown is None else b"".join([piece async for piece in shown.read(0, shown.size_bytes)])


async def test_what_is_stored_is_sealed_and_shown_as_it_was(place: tuple[Shelf, Database]) -> None:
    shelf, database = place
    plain = MediaStore(shelf, database, township_id=2)  # the same without a vault
    ids = [await plain.save_bytes(OWNER, content) for content in (photo(1), movie())]
    wanted = [await sees(plain, one) for one in ids]
    database.vault = Vault(make_key())
    store = MediaStore(shelf, database)
    mine = [await store.save_bytes(OWNER, content) for content in (photo(1), movie())]
    assert [await sees(store, one) for one in mine] == wanted
    files = {key: content for key, content in (await stored(shelf)).items() if not key.startswith("t2/")}
    assert len(files) == 5
    for content in files.values():
        assert head_of(content) and b"JFIF" not in content and b"ftyp" not in content
    shown = await store.shown(mine[1])
    assert shown is not None and wanted[1] is not None
    assert b"".join([piece async for piece in shown.read(24, 100)]) == wanted[1][24:100]
    assert [await sees(plain, one) for one in ids] == wanted, "those of before are still read"
    assert not list(shelf.waiting.glob("*"))


async def test_a_day_s_key_takes_its_photos_with_it(place: tuple[Shelf, Database]) -> None:
    shelf, database = place
    database.vault = Vault(private := make_key())
    store = MediaStore(shelf, database)
    media_id = await store.save_bytes(OWNER, photo(1))
    assert await sees(store, media_id)
    await database.transaction(partial(keys.erase_keys, purpose=Purpose.PHOTOS, before_day=40_000))
    database.vault = Vault(private)  # as after a start
    assert await sees(MediaStore(shelf, database), media_id) is None


async def test_a_damaged_or_swapped_file_is_shown_to_nobody(place: tuple[Shelf, Database]) -> None:
    shelf, database = place
    database.vault = Vault(make_key())
    store = MediaStore(shelf, database)
    one, other = [await store.save_bytes(OWNER, photo(seed)) for seed in (1, 2)]
    views = sorted(key for key in await stored(shelf) if key.endswith(".view"))
    contents = await stored(shelf)
    for key, content in zip(views, (contents[views[1]], contents[views[1]][:-40]), strict=True):
        await replace(shelf, key, content)
    for media_id in (one, other):
        with pytest.raises(FileNotFoundError):
            await sees(store, media_id)
        assert await store.viewing_copy(media_id) is None
        assert await sees(store, media_id, thumb=True)


async def replace(shelf: Shelf, key: str, content: bytes) -> None:
    from bot.media.shelf import Complete

    shelf.waiting.mkdir(parents=True, exist_ok=True)
    local = shelf.waiting / "another"
    local.write_bytes(content)
    await shelf.put([Complete(key, local, "")])
    local.unlink(missing_ok=True)


# -- those of before


class Died(Exception):
    """The plug was pulled."""


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_photos_of_before_are_sealed_however_often_it_dies(
    place: tuple[Shelf, Database], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, database = place
    store = MediaStore(shelf, database)
    ids = [await store.save_bytes(OWNER, content) for content in (photo(1), photo(2), movie())]
    wanted = [await sees(store, one) for one in ids]
    database.vault = Vault(make_key())
    calls, puts = 0, type(shelf).put

    async def dies(self: Shelf, files: list[object]) -> None:
        nonlocal calls
        for one in files:
            calls += 1
            if calls % (after + 1) == 0:
                raise Died
            await puts(self, [one])  # type: ignore[list-item]

    with monkeypatch.context() as patch:
        patch.setattr(type(shelf), "put", dies)
        for _ in range(30):
            try:
                await EarlierPhotos(shelf, database, 1).seal(NOW_MS)
                break
            except Died:
                assert [await sees(store, one) for one in ids] == wanted, "whoever looks meanwhile sees it"
    await EarlierPhotos(shelf, database, 1).seal(NOW_MS)
    assert all(head_of(content) for content in (await stored(shelf)).values())
    assert [await sees(store, one) for one in ids] == wanted
    assert not list(shelf.waiting.glob("*"))


async def test_a_township_s_walk_is_its_own_and_runs_once(
    place: tuple[Shelf, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, database = place
    first, second = (MediaStore(shelf, database, township_id=one) for one in (1, 2))
    await first.save_bytes(OWNER, photo(1))
    media_id = await second.save_bytes(OWNER, photo(1))
    database.vault = Vault(make_key())
    await EarlierPhotos(shelf, database, 1).seal(NOW_MS)
    contents = await stored(shelf)
    assert {key for key, content in contents.items() if not head_of(content)} == {
        key for key in contents if key.startswith("t2/")
    }
    assert await sees(second, media_id)
    await EarlierPhotos(shelf, database, 2).seal(NOW_MS)
    assert all(head_of(content) for content in (await stored(shelf)).values()) and await sees(second, media_id)
    monkeypatch.setattr(earlier, "SHARES", None)  # it would not get through this
    await EarlierPhotos(shelf, database, 2).seal(NOW_MS)


async def test_a_photo_that_is_being_erased_waits_for_the_next_time(place: tuple[Shelf, Database]) -> None:
    shelf, database = place
    await MediaStore(shelf, database).save_bytes(OWNER, photo(1))
    [key] = [key for key in await stored(shelf) if "." not in key]
    database.vault = Vault(make_key())
    marker = f"erasing/{key.replace('/', '')}.1"
    await shelf.mark(marker)
    with pytest.raises(RetryLater):
        await EarlierPhotos(shelf, database, 1).seal(NOW_MS)
    await shelf.delete([marker])
    await EarlierPhotos(shelf, database, 1).seal(NOW_MS)
    assert all(head_of(content) for content in (await stored(shelf)).values())
