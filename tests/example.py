"""The example townships, in which most of the tests are played."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
EXAMPLE, SECOND = EXAMPLES / "township", EXAMPLES / "township-2"


def example_with(folder: Path, messages_per_minute: int) -> Path:
    """A copy of the example township with another flood limit."""
    shutil.copytree(EXAMPLE, folder)
    policy = folder / "policy.toml"
    changed, count = re.subn(
        r"(?m)^messages_per_minute\s*=.*$", f"messages_per_minute = {messages_per_minute}", policy.read_text("utf-8")
    )
    assert count == 1, "policy.toml has no messages_per_minute"
    policy.write_text(changed, "utf-8")
    return folder
