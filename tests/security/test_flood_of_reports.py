"""Two hundred made-up people report within seconds, urgent things too: a handful of notices, and all of it counted."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stories.test_bundled_notices import notices, tips
from tests.stories.town import Town

TIPS, ONE_BY_ONE = 200, 8
FIRES, URGENT_ONE_BY_ONE = 60, 20


async def test_two_hundred_tips_are_a_handful_of_notices(tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "town.db")
    town = await Town.open(tmp_path / "data", f"sqlite:///{tmp_path / 'town.db'}", "web")
    try:
        keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
        await tips(town, TIPS)
        assert len(notices(keeper)) == ONE_BY_ONE
        town.clock.advance(minutes=15)
        await town.tick()
        keeper.sees(f"又来了 {TIPS - ONE_BY_ONE} 件新举报", f"一共 {TIPS} 件")
        assert len(notices(keeper)) == ONE_BY_ONE + 1
    finally:
        await town.close()


async def test_sixty_fires_are_twenty_notices_and_another_villages_first_one_rings(
    tmp_path: Path, sqlite_template: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "town.db")
    town = await Town.open(tmp_path / "data", f"sqlite:///{tmp_path / 'town.db'}", "web")
    try:
        office = await town.person("孙办事", role="staff")
        await tips(town, FIRES, kind="焚烧秸秆")
        assert len(notices(office)) == URGENT_ONE_BY_ONE
        await tips(town, 1, kind="焚烧秸秆", village="李家湾村")
        assert "李家湾村" in notices(office)[-1]
        town.clock.advance(minutes=5)
        await town.tick()
        office.sees(f"另有 {FIRES - URGENT_ONE_BY_ONE} 件紧急的举报", f"一共 {FIRES + 1} 件")
        assert len(notices(office)) == URGENT_ONE_BY_ONE + 1
    finally:
        await town.close()
