"""What full runs measured: a line of `history.jsonl` each, with the commit and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
FILE = HERE / "history.jsonl"


def add(figures: Mapping[str, float], path: Path = FILE) -> list[str]:
    """Append a run; its changes since the last one on such a machine, a line for each figure."""
    known = {name: round(value, 4) for name, value in sorted(figures.items()) if isfinite(value)}
    line = {"commit": commit(), "day": datetime.now(UTC).date().isoformat(), "machine": machine(), "figures": known}
    before = last(path, line["machine"])
    with path.open("ab") as file:
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return changes(before, line)


def last(path: Path, on: object) -> dict[str, Any] | None:
    """The newest run on such a machine."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    runs = [run for run in map(orjson.loads, lines) if run["machine"] == on]
    return runs[-1] if runs else None


def changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[str]:
    """Each figure beside what it was."""
    if before is None:
        return ["none yet"]
    lines = [f"{before['commit']} ({before['day']}) → {now['commit']}"]
    for name, value in now["figures"].items():
        was = before["figures"].get(name)
        change = "new" if was is None else f"{value / was - 1:+.1%} of {was:g}" if was else f"was {was:g}"
        lines.append(f"{name:<52}{value:>12g}   {change}")
    return lines


def commit() -> str:
    """The commit that is measured, with a + when files differ from it."""
    said = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--untracked-files=no", "--", "..")]
    changed = [name for name in said[1].splitlines() if not name.endswith(FILE.name)]
    return f"{said[0] or 'unknown'}{'+' if changed else ''}"


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    cpuinfo = Path("/proc/cpuinfo")
    rows = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [row.partition(": ")[2] for row in rows if row.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    return run.stdout.strip()
