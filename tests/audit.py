"""`make audit`: whether a pinned library has a known vulnerability, as far as the index that pip knows tells.

pip-audit has an environment of its own, so that what it needs is no library of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Ask, and tell in a line each; 1 when something is known."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = ["-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        subprocess.run(
            [sys.argv[1], *command, "--output", found, "--requirement", ROOT / "constraints.txt"],
            capture_output=True,
            check=False,
        )
        answer = json.loads(found.read_text()) if found.exists() and found.stat().st_size else {"dependencies": []}
    lines, code = told(answer["dependencies"])
    print(*lines, sep="\n")
    return code


def told(libraries: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What pip-audit found, a line for each vulnerable library and one for the whole; and the exit code."""
    asked = [one for one in libraries if "skip_reason" not in one]
    bad = [one for one in asked if one["vulns"]]
    lines = [f"{one['name']} {one['version']}: {', '.join(vuln['id'] for vuln in one['vulns'])}" for one in bad]
    if not asked:
        return ["no index that knows of vulnerabilities was reached: nothing was audited"], 0
    left = len(libraries) - len(asked)
    rest = f"; {left} are not known there and were not audited" if left else ""
    return [*lines, f"{len(asked)} libraries audited, {len(bad)} with a known vulnerability{rest}"], 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
