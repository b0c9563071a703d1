"""What is played, and how many seeds of each: few with every change, many when there is time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from tests.sim.faults import Chaos
from tests.sim.play import Play
from tests.sim.plays.own import SimPlay
from tests.sim.plays.township import TownshipPlay
from tests.sim.wechat.play import WeChatPlay, WeChatTownshipPlay

PLAYS: Mapping[str, Callable[[int, Chaos], Play]] = {
    "sim": SimPlay,
    "township": TownshipPlay,
    "wechat": WeChatPlay,
    "wechat-township": WeChatTownshipPlay,
}
SOAK: Mapping[str, int] = {"sim": 2_000, "township": 2_000, "wechat": 2_000, "wechat-township": 1_000}


def sample() -> dict[str, int]:
    """With every change: the seeds from 0 on, the same ones each time. SIM_SEEDS: how many of all plays together."""
    seeds = int(os.environ.get("SIM_SEEDS", "1000"))
    return {"sim": seeds * 2 // 5, "township": seeds // 5, "wechat": seeds * 3 // 10, "wechat-township": seeds // 10}


def replay(play: str, seed: int) -> str:
    """The command that plays a seed again."""
    return f"python -m tests.sim --play {play} --seed {seed}"
