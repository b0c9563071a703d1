"""WECOM_ROBOTS: whose robot is whose, as `doctor` says it and the log at the start; never a key."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from structlog.testing import CapturingLogger

from bot.app import build
from bot.channels.wecom.robots import GroupArea, find_robots, match
from bot.clock import SystemClock
from bot.console.words import render
from bot.settings import Settings
from handlers.product import Township
from handlers.robots.telling import groups
from storage.engine.opening import bring_up_to_date, open_database
from tests.cli.console import Console
from tests.example import EXAMPLES

KEY, OTHER = "693a91f6-7c1a-4bc4-97a0-0ec2f1fa5aaa", "0d5e7c11-1111-4444-8888-0ec2f1fa5bbb"
PLACES = [
    GroupArea(1, "town", "629999101", "青禾塬镇", ("青禾塬",)),
    GroupArea(1, "village", "629999101205", "王家沟村", ("王家沟",)),
    GroupArea(1, "village", "629999101202", "李家湾村"),
    GroupArea(1, "hamlet", "62999910120501", "张家社"),
    GroupArea(2, "town", "629999102", "沙井乡"),
    GroupArea(2, "village", "629999102202", "王家沟村"),
    GroupArea(2, "village", "same", "红柳滩村"),
    GroupArea(1, "village", "same", "柳树湾村"),
]


def test_by_code_name_or_other_name() -> None:
    found = match({"629999101": KEY, "沙井乡": OTHER, "629999102202": f" {KEY}\n", "李家湾村": KEY}, PLACES)
    assert found.faults == ()
    assert found.keys == {"629999101": KEY, "629999102": OTHER, "629999102202": KEY, "629999101202": KEY}
    assert found.codes() == {
        1: frozenset({"629999101", "629999101202"}),
        2: frozenset({"629999102", "629999102202"}),
    }
    assert [place.name for place in match({"青禾塬": KEY}, PLACES).places] == ["青禾塬镇"]
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"青禾原镇": KEY}, "no area has the code or the name 青禾原镇"),
        ({"王家沟村": KEY}, "王家沟村 may be 629999101205 王家沟村 / 629999102202 王家沟村: write the code"),
        ({"same": KEY}, "same may be same 红柳滩村 / same 柳树湾村: give each a code of its own"),
        ({"红柳滩村": KEY}, "红柳滩村: two areas have the code same, give each its own"),
        ({"张家社": KEY}, "62999910120501 张家社 is a hamlet: a robot is a township's or a village's"),
        ({"青禾塬镇": " "}, "青禾塬镇 has no key"),
        ({"629999101": KEY, "青禾塬镇": OTHER}, "629999101 青禾塬镇 has two entries: keep one of them"),
        ({KEY: "青禾塬镇"}, "no area has the code or the name 693a…"),
    ],
)
def test_what_could_be_meant_otherwise_is_left_out_and_said(said: dict[str, str], fault: str) -> None:
    found = match({**said, "沙井乡": OTHER}, PLACES)
    assert [render(one) for one in found.faults] == [fault]
    assert found.keys["629999102"] == OTHER, "the others are served"
    assert KEY not in fault and OTHER not in fault


def says(folder: Path, *words: str, robots: dict[str, str]) -> tuple[int, str]:
    """Run a command with these robots; its exit code and what it printed."""
    result = Console(folder, WECOM_ROBOTS=json.dumps(robots)).says(*words)
    return result.exit_code, result.output


def test_doctor_says_whose_robot_is_whose(tmp_path: Path) -> None:
    says(tmp_path, "import", str(EXAMPLES / "township"), robots={})
    says(tmp_path, "import", str(EXAMPLES / "township-2"), "--new", robots={})
    assert "robots" not in says(tmp_path, "doctor", robots={})[1]
    code, said = says(tmp_path, "doctor", robots={"青禾塬镇": KEY, "629999102202": OTHER})
    assert code == 0 and "ok  robots: 青禾塬镇, 王家沟村" in said and KEY not in said
    code, said = says(tmp_path, "doctor", robots={"青禾塬镇": KEY, "王家沟村": OTHER})
    assert code == 1 and OTHER not in said
    assert "BAD robots: 王家沟村 may be 629999101205 王家沟村 / 629999102202 王家沟村: write the code" in "".join(
        said.splitlines()
    ).replace("  ", " ")


def test_each_township_has_its_own_robots_only(tmp_path: Path) -> None:
    """王家沟村 is a village of both; the code tells which one."""
    for folder, *new in (("township",), ("township-2", "--new")):
        says(tmp_path, "import", str(EXAMPLES / folder), *new, robots={})

    async def look() -> dict[int, list[str]]:
        database = await open_database(Settings(_env_file=None, data_dir=tmp_path).database)
        found = await find_robots({"青禾塬镇": KEY, "629999102202": OTHER}, database)
        product = Township(ZoneInfo("Asia/Shanghai"), "https://chat.example", found.codes())
        worlds = {
            at: await database.read(lambda tx: product.world(tx, SystemClock().now_ms()), township_id=at)
            for at in (1, 2)
        }
        await database.close()
        return {
            at: [f"{area.name} {world.robots[area.area_id]}" for area in groups(world)] for at, world in worlds.items()
        }

    assert asyncio.run(look()) == {1: ["青禾塬镇 wecom:629999101"], 2: ["王家沟村 wecom:629999102202"]}


async def test_the_start_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = CapturingLogger()
    plain = structlog.wrap_logger(heard, [structlog.processors.KeyValueRenderer()], structlog.BoundLogger)
    monkeypatch.setattr("bot.app.log", plain)
    settings = Settings(_env_file=None, data_dir=tmp_path, wecom_robots={"青禾塬镇": KEY})
    await bring_up_to_date(settings.database, now_ms=0)
    program = await build(settings)
    await program.database.close()
    (call,) = heard.calls
    assert call.method_name == "warning"
    assert "robots.no_area" in str(call.args) and "青禾塬镇" in str(call.args) and KEY not in str(call)
