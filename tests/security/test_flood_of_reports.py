"""Two hundred made-up people report within five seconds: staff get a handful of notices, and all of it is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stories.test_bundled_notices import notices, tips
from tests.stories.town import Town

TIPS, ONE_BY_ONE = 200, 8


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
