"""Play seeds by hand: one with its trace (`--seed 123`), many (`--seeds 500 --from 1`), or fresh ones of every play
for as long as there is time (`--soak`).
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.sim.broken import LAWS
from tests.sim.machine.life import Parts
from tests.sim.programme import PLAYS, SOAK
from tests.sim.soak import soak
from tests.sim.town import run_seed


def main() -> int:
    """Command line; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--play", choices=sorted(PLAYS), default="sim", help="what is played")
    parser.add_argument("--seed", type=int, help="play this seed and print its trace if a promise was broken")
    parser.add_argument("--verbose", action="store_true", help="print the trace also when all is well")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--from", dest="first", type=int, help="the first of them: 0; with --soak, the present second")
    parser.add_argument("--broken", choices=sorted(LAWS), help="break this law on purpose")
    parser.add_argument("--soak", action="store_true", help="fresh seeds of every play, in several processes")
    parser.add_argument("--minutes", type=float, default=60, help="with --soak: how long at most")
    parser.add_argument("--jobs", type=int, default=2, help="with --soak: how many processes")
    wanted = parser.parse_args()
    if wanted.soak:
        first = int(time.time()) if wanted.first is None else wanted.first
        return soak(SOAK, first, minutes=wanted.minutes, jobs=wanted.jobs)
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
    first = wanted.first or 0
    for seed in range(first, first + wanted.seeds):
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
