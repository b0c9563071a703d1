"""A township that was served by a version without a vault: its rows are sealed at the next start, and all goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.vault import seal_earlier, use_vault
from storage.machine import earlier
from storage.vault.sealing import is_sealed, kept_key
from storage.vault.vault import Purpose
from tests.stories.doings import SENTENCE, belongs, household_id, reports_anonymously, time_to_take_back_is_over
from tests.stories.drivers import TOWN
from tests.stories.test_households_of_people import claims, home_of
from tests.stories.test_identity import geography, leads, of_case, stored
from tests.stories.test_report import photo_taken_at
from tests.stories.town import Town

RECEIPT = "收到了，谢谢您！编号".encode()


class Died(Exception):
    """The plug was pulled."""


SEALED = (("inbox", "body"), ("outbox", "body"), ("sessions", "body"))


def on_the_disk(file: Path) -> bytes:
    """The database's file, with everything that was written."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.read_bytes()


async def is_of_before(town: Town) -> None:
    """From here on it is the version of before."""
    await calls_people(town, None)
    town.app.database.vault = None
    await town.write("DELETE FROM vault_keys WHERE township_id = :t")


async def calls_people(town: Town, key: bytes | None) -> None:
    """The channel's pseudonyms are made with that key; without one it calls everybody what their platform does."""
    if town.channel != "web":
        channel: Any = town.app.channels.of(TOWN)[town.channel]
        channel.pseudonyms.__init__(key, TOWN)


async def is_updated(town: Town) -> None:
    """The new version starts, and dies once while it seals."""
    await town.write(
        "UPDATE case_reporters SET person_id = reporter_key, reporter_key = NULL, sealed = NULL WHERE township_id = :t"
    )
    await town.write("UPDATE media SET sealed = NULL WHERE township_id = :t")
    for table in ("household_members", "household_claims"):
        await town.write(f"UPDATE {table} SET sealed = NULL WHERE township_id = :t")
    for what in ("seal.photos", "seal.people"):  # as the migrations do for a township that there is
        await town.write("INSERT INTO erased_through (township_id, what, through_id) VALUES (:t, :w, 0)", w=what)
    await use_vault(town.app.settings, town.app.database)
    database, product = town.app.database, town.app.product
    real, calls = earlier.seal_words, []

    async def dies(tx: Any) -> bool:
        calls.append(1)
        if len(calls) == 3:
            await real(tx)
            raise Died
        return await real(tx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earlier, "ROWS", 4)
        patch.setattr(earlier, "seal_words", dies)
        with pytest.raises(Died):
            await seal_earlier(database, product.catch_up)
        await seal_earlier(database, product.catch_up)
    assert len(calls) > 4
    key = await database.transaction(lambda tx: kept_key(tx, Purpose.ADDRESSES))
    await calls_people(town, key)


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_what_was_stored_before_is_sealed_and_everything_goes_on(town: Town) -> None:
    await is_of_before(town)
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt, other = await town.person("王大娘"), await town.person("李大娘")
    await belongs(town, aunt)
    uncle = await town.person("张大伯")
    await claims(uncle, "孙雪梅", "我是家里人")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345), caption=SENTENCE)
    await aunt.taps("提交")
    await town.tick()
    number, code = await reports_anonymously(other, "王家沟小学有人倒垃圾")
    await aunt.says("我要举报")
    case = (await town.rows("SELECT * FROM cases WHERE township_id = :t ORDER BY id"))[0]
    names = {str(await aunt.person_id()), aunt.driver.address}
    real = f"{town.channel}:{aunt.driver.called}"
    assert leads(await stored(town), of_case(case), names, set())

    await is_updated(town)

    rows = await stored(town)
    for table, column in SEALED:
        bodies = [row[column] for name, row in rows if name == table]
        assert bodies and all(is_sealed(body) for body in bodies if body not in (b"", "{}"))
    if (file := town.app.settings.database_path) is not None:
        assert RECEIPT not in on_the_disk(file), "nor in what was freed"
    assert "王大娘" not in repr(rows) and (not aunt.driver.called or real not in repr(rows))
    barred = {str(await keeper.person_id()), keeper.driver.address, *await geography(town)}
    assert leads(rows, of_case(case), names, barred) == []
    await aunt.says("乱倒垃圾")  # the open question is still there
    aunt.sees("拍张照片")
    await keeper.says("待确认")
    keeper.sees("张大伯")
    await keeper.taps("是，确认")
    assert await home_of(town, uncle) == await household_id(town, "N0104")
    assert await home_of(town, aunt) == await household_id(town)
    await keeper.says("/verify 2026-0001 true")
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    aunt.sees("2026-0001", "是真的")
    await other.says(f"领奖 {number} {code}")
    other.sees("5 分已记到您名下")
    photo = (await town.rows("SELECT id FROM media WHERE township_id = :t"))[0]["id"]
    assert await town.app.media.of(1).may_see(photo, aunt.driver.address)
    assert await town.app.media.of(1).may_see(photo, keeper.driver.address)
    assert not await town.app.media.of(1).may_see(photo, other.driver.address)
    await aunt.says("我的举报")
    aunt.sees("2026-0001")
