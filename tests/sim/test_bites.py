"""The simulator notices when a law of the design is broken: each on purpose, within a bounded number of seeds."""

from __future__ import annotations

import pytest

from tests.sim.broken import BROKEN
from tests.sim.town import run_seed

SEEDS = 120
SEEN = {
    "acknowledges-before-commit": "acknowledged and lost",
    "duplicates-by-highest-id": "acknowledged and lost",
    "no-duplicates-known": "was handled after",
    "done-in-another-transaction": "was handled after",
    "marked-before-sent": "marked as sent, never arrived",
    "never-marked": "again",
    "no-order-of-messages": "arrived after a later one",
    "timer-done-in-another-transaction": "ran 2 times",
    "ids-by-the-clock-alone": "arrived after a later one",
    "stale-taps-applied": "was submitted by a button of review",
}


def test_every_broken_law_is_listed() -> None:
    assert SEEN.keys() == BROKEN.keys()


@pytest.mark.parametrize("law", sorted(BROKEN))
def test_a_broken_law_is_noticed(law: str) -> None:
    noticed: list[str] = []
    with BROKEN[law]() as parts:
        for seed in range(SEEDS):
            broken = run_seed(seed, parts=parts).broken
            noticed += broken
            if any(SEEN[law] in one for one in broken):
                return
    pytest.fail(f"{SEEDS} seeds did not see {SEEN[law]!r}, only {noticed[:5]}")
