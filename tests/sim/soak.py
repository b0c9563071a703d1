"""Many fresh seeds of every play, in several processes, until all are played or the time is up."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Mapping

from tests.sim.programme import PLAYS, replay
from tests.sim.town import run_seed

CHUNK = 5
Chunk = tuple[str, int, int]  # a play, its first seed, how many


def chunks_of(wanted: Mapping[str, int], first: int, size: int) -> list[Chunk]:
    """All seeds in parts of so many, mixed, so that each play has had its share whenever the time is up."""
    found = [
        (at / count, (play, first + at, min(size, count - at)))
        for play, count in wanted.items()
        for at in range(0, count, size)
    ]
    return [chunk for _, chunk in sorted(found)]


def play_chunk(chunk: Chunk) -> tuple[Chunk, list[str]]:
    """Play some seeds; what was broken, each with the command that plays it again."""
    play, first, count = chunk
    reports = [run_seed(seed, play=PLAYS[play]) for seed in range(first, first + count)]
    return chunk, [f"{replay(play, report.seed)}: {report.broken[0]}" for report in reports if report.broken]


def soak(wanted: Mapping[str, int], first: int, *, minutes: float, jobs: int) -> int:
    """Play, and print what happens; 1 when a promise was broken. A part that is not done in time is given up."""
    print(f"seeds from {first} on, {minutes:g} minutes at most: {dict(wanted)}", flush=True)
    begun_s, played, failed = time.monotonic(), Counter[str](), 0
    chunks = chunks_of(wanted, first, CHUNK)
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        done = pool.imap_unordered(play_chunk, chunks)
        for _ in chunks:
            left_s = begun_s + minutes * 60 - time.monotonic()
            try:
                (play, _, count), broken = done.next(timeout=max(0.0, left_s))
            except multiprocessing.TimeoutError:
                break
            played[play] += count
            failed += len(broken)
            for one in broken:
                print(one, flush=True)
    spent = (time.monotonic() - begun_s) / 60
    told = ", ".join(f"{played[play]} of {count} {play}" for play, count in wanted.items())
    print(f"{told} in {spent:.1f} minutes; {failed} failed")
    return bool(failed)
