"""Settings and commands are documented, and a wrong one is said in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_in_the_example_and_the_operators_guide() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    guides = [(ROOT / "docs" / language / "operator.md").read_text("utf-8") for language in ("zh", "en")]
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"\n{name.upper()}=" in example, f"{name.upper()} is not in .env.example"
        for guide in guides:
            assert f"`{name.upper()}`" in guide, f"{name.upper()} is not in docs/*/operator.md"


def test_the_example_names_no_setting_that_does_not_exist() -> None:
    names = [
        line.split("=")[0] for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if line[:1].isalpha()
    ]
    assert {name.lower() for name in names} == set(Settings.model_fields)


def test_every_setting_has_its_default_in_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "eighty"),
        ("WEB_PORT", "70000"),
        ("TIMEZONE", "Mars/Base"),
        ("LANGUAGE", "fr"),
        ("DATABASE_URL", "mysql://x"),
        ("PUBLIC_URL", "example.org"),
        ("TELEGRAM_MODE", "pigeon"),
    ],
)
def test_a_malformed_setting_stops_the_start_with_one_clear_line(name: str, value: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), name: value}
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "run"], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"{name}: ")


def test_an_incomplete_webhook_stops_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "TELEGRAM_TOKEN": "1:x", "TELEGRAM_MODE": "webhook"}
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "run"], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1 and "PUBLIC_URL" in ended.stderr
