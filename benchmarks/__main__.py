"""`make bench`: every figure, one after the other, on this machine; remembered, and compared with the last time."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks import digest, history, scale, start, takeover, understanding, wechat, workers

CHAT_FIGURES = ("updates_per_s", "cpu_ms", "p99_ms", "rss_mib")


def chat() -> dict[str, float]:
    """The report conversation, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-figures-") as folder:
        written = Path(folder) / "chat.json"
        subprocess.run([sys.executable, "-m", "benchmarks.chat", "--json", str(written)], check=False)
        results = orjson.loads(written.read_bytes()) if written.exists() else {}
    return {
        f"chat.{bot}.{name}": found[name] for bot, found in results.items() for name in CHAT_FIGURES if name in found
    }


def main() -> None:
    """Run all, say what was met and what has changed."""
    print("== the same report conversation, each bot in turn", flush=True)
    figures = chat()
    print("\n== a day's digest over a million cases and tickets", flush=True)
    figures |= digest.main()
    print("\n== the cost of an update as the township grows", flush=True)
    figures |= scale.run()
    print("\n== several workers on PostgreSQL", flush=True)
    figures |= workers.run()
    figures |= takeover.run()
    print("\n== people in WeChat", flush=True)
    figures |= wechat.run()
    print("\n== what people say", flush=True)
    figures |= understanding.run()
    print("\n== start", flush=True)
    figures |= start.run()
    print("\n== since the last full run on such a machine", flush=True)
    print("\n".join(history.add(figures)))


if __name__ == "__main__":
    main()
