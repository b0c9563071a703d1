"""A backlog waits at a start: whoever comes now is answered before it is through, and nobody's words change places."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from functools import partial
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.database import Tx
from storage.engine.opening import bring_up_to_date, open_database
from storage.machine import inbox, townships
from tests.channels.website import serving

WAITING, BATCH = 3_000, 8
BODY = orjson.dumps({"id": str(uuid.UUID(int=7)), "kind": "text", "text": "好"})


async def put(tx: Tx, addresses: list[str], first_id: int = 1) -> None:
    """One update of each address, in that order."""
    rows = [
        {"id": at, "channel": "web", "update_key": f"k{at}", "address": address, "body": BODY, "received_ms": 1}
        for at, address in enumerate(addresses, first_id)
    ]
    await inbox.put(tx, rows)


async def test_a_newcomer_is_answered_before_the_backlog_is_through(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jingxiang.db'}"
    await bring_up_to_date(url, now_ms=1)
    database = await open_database(url)
    await database.transaction(townships.add_turn, township_id=1)
    crowd = [f"web:{at % 500:064x}" for at in range(WAITING)]
    await database.transaction(lambda tx: put(tx, crowd), township_id=1)
    await database.close()
    async with serving(tmp_path) as site:
        page = await site.page()
        await page.says("您好")
        rows = await site.rows("SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND state = 'new'")
        assert rows[0]["n"] > WAITING // 3, "the newcomer did not wait for it"
        async with asyncio.timeout(60):
            while (await site.rows("SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND state = 'new'"))[0]["n"]:
                await asyncio.sleep(0.1)


@settings(max_examples=40, deadline=None)
@given(
    addresses=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60),
    coming=st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=6), max_size=12),
)
def test_nobodys_updates_change_places_and_all_are_handled(addresses: list[str], coming: list[list[str]]) -> None:
    from bot.incoming.batch import Batches

    async def whole() -> None:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'town.db'}"
            await bring_up_to_date(url, now_ms=1)
            database = await open_database(url)
            handled: list[tuple[str, int]] = []
            await database.transaction(lambda tx: put(tx, addresses), township_id=1)
            sent, waves = len(addresses), list(coming)
            takes = Batches._rows

            async def step(tx: Tx) -> int:
                rows = await takes(None, tx, 5, BATCH)  # type: ignore[arg-type]
                handled.extend((row["address"], row["id"]) for row in rows)
                await inbox.done(tx, [row["id"] for row in rows])
                return len(rows)

            while await database.transaction(step, township_id=1) or waves:
                if waves:
                    wave = waves.pop(0)
                    await database.transaction(partial(put, addresses=wave, first_id=sent + 1), township_id=1)
                    sent += len(wave)
            await database.close()
            assert sorted(at for _, at in handled) == list(range(1, sent + 1)), "each once"
            for one in "abcdefghij":
                mine = [at for address, at in handled if address == one]
                assert mine == sorted(mine)

    asyncio.run(whole())
