"""What was kept long enough is erased by itself (PIPL 19), and no figure changes by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handlers.privacy import retention
from storage.product import ledger
from tests.stories.doings import SENTENCE, balance, belongs, cleaner_of, weighs
from tests.stories.test_report import photo_taken_at
from tests.stories.town import Someone, Town

DAY = "2026-11-18"


def files(town: Town) -> list[Path]:
    folder = town.app.settings.data_dir / "media"
    return [path for path in folder.rglob("*") if path.is_file()]


async def digest(someone: Someone) -> list[str]:
    await someone.says(f"/digest {DAY}")
    return someone.sees("日报").text.splitlines()


async def count(town: Town, sql: str) -> int:
    return int((await town.rows(f"SELECT COUNT(*) AS n FROM {sql}"))[0]["n"])


async def personal(town: Town) -> dict[str, int]:
    """How many rows of each family still hold something personal of that day."""
    until = f"{await the_end(town)}"
    return {
        "inbox": await count(town, f"inbox WHERE township_id = :t AND received_ms < {until} AND LENGTH(body) > 0"),
        "outbox": await count(town, f"outbox WHERE township_id = :t AND created_ms < {until} AND body <> '{{}}'"),
        "errors": await count(town, f"outbox WHERE township_id = :t AND created_ms < {until} AND error IS NOT NULL"),
        "forms": sum(
            "form" in row["body"]
            for row in await town.rows(f"SELECT body FROM sessions WHERE township_id = :t AND updated_ms < {until}")
        ),
        "places": await count(town, "cases WHERE township_id = :t AND (lat IS NOT NULL OR statement <> '')"),
        "photos": await count(town, "media WHERE township_id = :t AND state <> 'erased'"),
        "owners": await count(town, "media WHERE township_id = :t AND (person_id IS NOT NULL OR lat IS NOT NULL)"),
        "reporters": await count(
            town, "case_reporters WHERE township_id = :t AND (reporter_key IS NOT NULL OR sealed IS NOT NULL)"
        ),
    }


async def the_end(town: Town) -> int:
    """The end of the story's first day."""
    rows = await town.rows("SELECT until_ms FROM digest_runs WHERE township_id = :t AND day = :day", day=DAY)
    return int(rows[0]["until_ms"])


async def a_day(town: Town) -> tuple[Someone, Someone, Someone]:
    """A report with a photo that knows its place, verified; a weigh-in; a message that failed; a form left open."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345), caption=SENTENCE)
    await aunt.taps("提交")
    aunt.sees("收到了")
    await town.tick()
    await keeper.taps("属实")
    await weighs(cleaner, "张三 15.6公斤")
    await town.write("UPDATE outbox SET state = 'failed', error = 'blocked' WHERE township_id = :t AND id IN"
                     " (SELECT MAX(id) FROM outbox WHERE township_id = :t)")  # fmt: skip
    await aunt.says(SENTENCE)
    town.clock.go_to(f"{DAY} 18:00")
    await town.tick()
    return aunt, staff, keeper


async def test_after_800_days_nothing_personal_is_left_and_every_figure_is_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    aunt, staff, keeper = await a_day(town)
    before = await digest(staff)
    assert all((await personal(town)).values()) and len(files(town)) == 3
    points = await balance(town, "points")
    monkeypatch.setattr(retention, "BATCH_ROWS", 4)  # so that a night has several batches
    town.clock.advance(days=800)
    await town.tick()
    town.clock.advance(days=1)
    await town.tick()
    assert {name: left for name, left in (await personal(town)).items() if left} == {}
    assert files(town) == []
    case = (await town.rows("SELECT * FROM cases WHERE township_id = :t"))[0]
    assert (case["place"], case["state"], case["points"]) == ("王家沟村", "verified", 5)
    assert await digest(staff) == before
    assert await balance(town, "points") == points == 15
    assert await town.app.database.read(ledger.faults) == []
    await keeper.says("/case 2026-0001")
    shown = keeper.sees("2026-0001", "地点：王家沟村")
    assert not shown.media and not shown.links and SENTENCE not in shown.text
    await aunt.says("我的积分")
    aunt.sees("张三家（卡尾号0123）积分：15 分", "举报奖励：5 分")
    batches = await town.rows("SELECT state FROM timers WHERE township_id = :t AND kind = :k", k=retention.RETENTION)
    assert len(batches) > 4 and {row["state"] for row in batches} == {"done", "due"}


async def test_what_is_still_within_its_time_stays(town: Town) -> None:
    _, staff, keeper = await a_day(town)
    before = await personal(town)
    town.clock.advance(days=85)
    await town.tick()
    assert await personal(town) == before
    town.clock.advance(days=10)
    await town.tick()
    assert await personal(town) == {**before, "errors": 0}
    town.clock.advance(days=90)
    await town.tick()
    later: dict[str, Any] = await personal(town)
    assert later == {**before, "errors": 0, "inbox": 0, "outbox": 0, "forms": 0}
    await keeper.says("/case 2026-0001")
    assert keeper.sees("2026-0001", SENTENCE).links
    assert len(files(town)) == 3
    await staff.says("/digest")
    staff.sees("日报")
