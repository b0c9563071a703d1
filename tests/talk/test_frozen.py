"""Data classes that are frozen for whoever checks types."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from bot.talk.messages import In, Media

ROOT = Path(__file__).parents[2]
CHANGES = "from bot.talk.messages import In\n\ndef change(event: In) -> None:\n    event.kind = 'tap'\n"


def test_they_are_values() -> None:
    first, same = In("media", "x", media=(Media("image", "a"),)), In("media", "x", media=(Media("image", "a"),))
    assert first == same and hash(first) == hash(same) and first != In("media", "x")
    assert pickle.loads(pickle.dumps(first)) == first and not hasattr(first, "__dict__")


def test_whoever_changes_one_is_told_by_the_type_checker(tmp_path: Path) -> None:
    """Nothing else says so: the check must not be lost to a rearrangement."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text(CHANGES, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(wrong)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 'Property "kind" defined in "In" is read-only' in said.stdout, said.stdout + said.stderr
