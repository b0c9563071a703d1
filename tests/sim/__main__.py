"""`python -m tests.sim --seed 123 --verbose` plays one seed; `--seeds 500 --from 1` plays many."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from tests.sim.broken import BROKEN
from tests.sim.broken_wechat import BROKEN_WECHAT
from tests.sim.broken_workers import BROKEN_WORKERS
from tests.sim.faults import Chaos
from tests.sim.life import Parts
from tests.sim.play import Play, SimPlay
from tests.sim.town import run_seed
from tests.sim.township import TownshipPlay
from tests.sim.wechat_play import WeChatPlay, WeChatTownshipPlay

LAWS = {**BROKEN, **BROKEN_WORKERS, **BROKEN_WECHAT}
PLAYS: dict[str, Callable[[int, Chaos], Play]] = {
    "sim": SimPlay,
    "township": TownshipPlay,
    "wechat": WeChatPlay,
    "wechat-township": WeChatTownshipPlay,
}


def main() -> int:
    """Command line; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this seed and print its trace")
    parser.add_argument("--verbose", action="store_true", help="print the trace also when all is well")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--broken", choices=sorted(LAWS), help="break this law on purpose")
    parser.add_argument("--play", choices=sorted(PLAYS), default="sim", help="the product that is played")
    wanted = parser.parse_args()
    if not wanted.broken:
        return play(wanted, Parts())
    with LAWS[wanted.broken]() as parts:
        return play(wanted, parts)


def play(wanted: argparse.Namespace, parts: Parts) -> int:
    """One seed with its trace, or many with their figures."""
    if wanted.seed is not None:
        report = run_seed(wanted.seed, parts=parts, play=PLAYS[wanted.play], trace=True)
        if report.broken or wanted.verbose:
            print("\n".join(report.trace))
        print(*(report.broken or ["all promises kept"]), sep="\n")
        return bool(report.broken)
    begun_s, failed = time.perf_counter(), []
    crashes = updates = arrivals = repeats = 0
    virtual_s = 0.0
    for seed in range(wanted.first, wanted.first + wanted.seeds):
        report = run_seed(seed, parts=parts, play=PLAYS[wanted.play])
        crashes, updates, arrivals = crashes + report.crashes, updates + report.updates, arrivals + report.arrivals
        repeats, virtual_s = repeats + report.repeats, virtual_s + report.virtual_s
        if report.broken:
            failed.append(seed)
            print(f"seed {seed}: {report.broken[0]}", flush=True)
    spent_s = time.perf_counter() - begun_s
    print(
        f"{wanted.seeds} seeds in {spent_s:.1f} s ({wanted.seeds / spent_s:.1f} a second): {crashes} lives,"
        f" {updates} updates, {arrivals} messages, {repeats} repeated, {virtual_s / 3600:.1f} h; failed: {failed}"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
