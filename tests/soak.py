"""What is too long for every change: `python -m tests.soak --minutes 120`, or `make soak`.

Every story on each of its channels and engines, the kills of the real program again and again, and then fresh seeds
of the simulator until the time is up. All of it runs, whatever failed before.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time

from tests.example import ROOT

PYTEST = (sys.executable, "-m", "pytest")
SEEDS = (sys.executable, "-m", "tests.sim", "--soak")
KILL_ROUNDS = "8"
STOPS_S = 60


def main() -> int:
    """Command line; 1 when something failed or took longer than two thirds of the time."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="how long at most")
    begun_s, all_s = time.monotonic(), parser.parse_args().minutes * 60

    def until_s(share: float) -> float:
        """How long it is until such a share of the time is over."""
        return max(1.0, begun_s + share * all_s - time.monotonic())

    stories = (*PYTEST, "-n", "2", "--dist", "worksteal", "tests/stories")
    failed = [
        run(*stories, most_s=until_s(2 / 3), STORIES="all"),
        run(*PYTEST, "tests/process", most_s=until_s(2 / 3), KILL_ROUNDS=KILL_ROUNDS),
        run(*SEEDS, "--minutes", f"{until_s(1) / 60:.1f}"),
    ]
    return int(any(failed))


def run(*command: str, most_s: float | None = None, **environment: str) -> bool:
    """One part; whether it failed."""
    told = " ".join((*(f"{name}={value}" for name, value in environment.items()), "python", *command[1:]))
    print(told, flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, preexec_fn=_heeds_interrupts)
    try:
        return process.wait(most_s) != 0
    except subprocess.TimeoutExpired:
        print(f"stopped after {most_s:.0f} s: {told}", flush=True)
        process.send_signal(signal.SIGINT)  # it stops the programs that it has started
        try:
            process.wait(STOPS_S)
        except subprocess.TimeoutExpired:
            process.kill()
        return True


def _heeds_interrupts() -> None:
    """Also when this was started in the background, where they are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
