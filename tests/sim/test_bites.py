"""The simulator notices when a law of the design is broken: each on purpose, within a bounded number of seeds."""

from __future__ import annotations

import inspect

import pytest

from tests.sim.broken import AMONG_WORKERS, IN_WECHAT, LAWS
from tests.sim.broken.ways import fits
from tests.sim.faults import Chaos
from tests.sim.plays.own import SimPlay
from tests.sim.town import run_seed
from tests.sim.wechat.play import WeChatPlay

SEEDS = 400
SEEN = {
    "acknowledges-before-commit": "acknowledged and lost",
    "duplicates-by-highest-id": "acknowledged and lost",
    "no-duplicates-known": "acknowledged and lost",
    "done-in-another-transaction": "was handled twice",
    "marked-before-sent": "marked as sent, never arrived",
    "never-marked": "again",
    "no-order-of-messages": "arrived after a later one",
    "timer-done-in-another-transaction": "times",
    "ids-by-the-clock-alone": "arrived after a later one",
    "stale-taps-applied": "was submitted by a button of review",
    "intake-without-the-lock": "was handled twice",
    "told-before-stored": "lay there for",
    "delivery-without-the-fence": "again",
    "lost-lease-kept": "stuck",
    "own-messages-first": "arrived after a later one",
    "sends-cut-at-a-stop": "again",
    "messages-to-all-townships": "something of township",
    "ids-by-each-clock-alone": "arrived after a later one",
    "clock-without-the-lease": "at the same time",
    "timer-run-unseen": "times",
    "fetching-without-the-lease": "at the same time",
    "wechat-acknowledged-before-stored": "acknowledged and lost",
    "wechat-retry-handled-again": "twice",
    "wechat-answer-lies-there": "lay there",
    "wechat-reply-also-by-itself": "by itself and in the reply",
    "wechat-retry-told-nothing": "and never shown",
    "wechat-waiting-shown-again": "messages",
    "wechat-waiting-forgotten": "still wait",
    "wechat-kept-for-ever": "still wait",
    "wechat-no-order-in-a-reply": "is not in its place",
    "wechat-rest-dropped": "is nowhere",
    "wechat-half-sent": "never arrived",
    "wechat-messages-uncounted": "than WeChat takes",
    "wechat-number-of-another-reply": "was read as",
    "wechat-number-not-read": "was read as None",
    "wechat-newest-by-the-clock": "was read as",
    "wechat-number-before-its-reply": "was read as",
}


def test_every_broken_law_is_listed() -> None:
    assert SEEN.keys() == LAWS.keys()


@pytest.mark.parametrize("law", sorted(LAWS))
def test_what_breaks_a_law_is_called_as_what_it_stands_for(law: str) -> None:
    with LAWS[law]() as parts:
        chosen = [vars(part) for part in vars(parts).values()]
        whole = [part.__mro__[1] for part in vars(parts).values()]
    for own, base in zip(chosen, whole, strict=True):
        for name in {name for name, one in own.items() if inspect.isfunction(one)} & set(dir(base)) - {"__init__"}:
            there = getattr(base, name)
            assert fits(own[name], there), f"{base.__name__}.{name} takes {inspect.signature(there)} now"


@pytest.mark.parametrize("law", sorted(LAWS))
def test_a_broken_law_is_noticed(law: str) -> None:
    noticed: list[str] = []
    play = WeChatPlay if law in IN_WECHAT else SimPlay
    with LAWS[law]() as parts:
        for seed in range(SEEDS):
            if law in AMONG_WORKERS and Chaos(seed).alone:
                continue  # a law among several workers
            broken = run_seed(seed, parts=parts, play=play).broken
            noticed += broken
            if any(SEEN[law] in one for one in broken):
                return
    pytest.fail(f"{SEEDS} seeds did not see {SEEN[law]!r}, only {noticed[:5]}")
