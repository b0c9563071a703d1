"""The history of the benchmarks: a run is compared with the last one on such a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import history


def test_a_run_is_compared_with_the_last_on_such_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.jsonl"
    assert history.add({"a.ms": 2.0, "gone.ms": 1, "endless.ms": float("inf")}, path) == ["none yet"]
    monkeypatch.setattr(history, "machine", lambda: "another")
    assert history.add({"a.ms": 9.0}, path) == ["none yet"]
    monkeypatch.undo()
    first, changed, new = history.add({"a.ms": 1.5, "b.ms": 1.0}, path)
    assert "→" in first and "-25.0% of 2" in changed and new.endswith("new")
    assert len(path.read_bytes().splitlines()) == 3
