"""How often whoever is to die dies: KILL_ROUNDS times as a whole, each time at other moments."""

from __future__ import annotations

import os
import random

import pytest

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))


@pytest.fixture(params=range(ROUNDS))
def dice(request: pytest.FixtureRequest) -> random.Random:
    """When who dies, in one round."""
    return random.Random(f"{request.node.originalname}:{request.param}")
