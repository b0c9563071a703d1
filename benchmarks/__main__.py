"""`make bench`: every figure, one after the other, on this machine."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import digest, scale, start, takeover, wechat, workers


def main() -> None:
    """Run all and say what was met."""
    print("== the same report conversation, each bot in turn", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks.chat"], check=False)
    print("\n== a day's digest over a million cases and tickets", flush=True)
    digest.main()
    print("\n== the cost of an update as the township grows", flush=True)
    scale.run()
    print("\n== several workers on PostgreSQL", flush=True)
    workers.run()
    takeover.run()
    print("\n== people in WeChat", flush=True)
    wechat.run()
    print("\n== start", flush=True)
    start.run()


if __name__ == "__main__":
    main()
