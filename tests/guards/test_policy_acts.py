"""No key of the policy is only recorded: each is read by the product."""

from __future__ import annotations

import re
from pathlib import Path

from tests.guards.test_docs import policy_keys

ROOT = Path(__file__).parents[2]
# `schema` is checked by the model itself: only one number is taken.
CHECKED_ONLY = {"schema"}
MACHINERY = {"loader.py", "parts.py"}


def test_every_key_is_read() -> None:
    paths = [path for path in (ROOT / "handlers").rglob("*.py") if path.name not in MACHINERY]
    source = "\n".join(
        line for path in paths for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("raise")
    )
    names = {key.rpartition(".")[2] for key in policy_keys()} - CHECKED_ONLY
    assert sorted(name for name in names if not re.search(rf"\.{name}\b", source)) == []
