"""Rewards for reports: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.rewards import checks, statement, turning, watching

REWARDS = Capability(
    name="rewards",
    commands={"rewards": Command(statement.move), "pairs": Command(watching.pairs, watching.RIGHT)},
    timers={turning.TURN: turning.turn_month, turning.APART: turning.set_apart},
    plan=(turning.plan,),
    checks={"rewards": checks.handed_out_whole},
    pages=("villager.md", "staff.md"),
    without={
        "figures": "what was given is counted with the points",
        "waits": "the month's turn comes by itself",
        "forgets": "whose a reward is stands in the vault of cases, and is forgotten there",
    },
)
