"""What we are built from: every pinned library is listed with its licence, and none has one that we can't keep."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.audit import told
from tests.pinning import MARK, PIN, PINS

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([\w.-]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
KEPT = {"Apache-2.0", "MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "PSF-2.0", "MPL-2.0"}
KEPT |= {"Zlib", "CC0-1.0", "LGPL-3.0-only"}
VULNERABLE = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1"}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> set[str]:
    return {named(name) for name, _, _ in PIN.findall(text)}


def listed(heading: str) -> dict[str, tuple[str, str]]:
    text = (ROOT / "docs" / "licences.md").read_text("utf-8")
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {named(name): (licence, use) for name, licence, use in ROW.findall(part) if name not in ("library", "---")}


FIRST, THEN = PINS.read_text().split(MARK)
RUNS, DEVELOPS = listed("What runs"), listed("Only for development and tests")


def test_every_pinned_library_is_listed_once_where_it_is_installed() -> None:
    assert not RUNS.keys() & DEVELOPS.keys()
    assert (RUNS.keys(), DEVELOPS.keys()) == (pins(FIRST), pins(THEN))


def test_nothing_is_installed_but_a_version_with_the_hashes_of_its_files() -> None:
    """`make` asks pip to refuse anything else; a library that is not listed it refuses by itself."""
    for line in re.sub(r"\\\n\s*", "", FIRST + THEN).splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+", line), line
    assert len(re.findall(r"pip install .*--require-hashes", (ROOT / "Makefile").read_text("utf-8"))) == 2


def test_what_runs_stands_among_what_runs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {named(re.split(r"[<>=\[;]", one)[0]) for one in project["dependencies"]}
    assert needed <= RUNS.keys()


@pytest.mark.parametrize("name", sorted(RUNS | DEVELOPS))
def test_its_licence_is_one_we_can_keep_and_its_own(name: str) -> None:
    licence, use = (RUNS | DEVELOPS)[name]
    assert set(re.findall(r"[\w.-]+", licence)) - {"AND", "OR"} <= KEPT and use.strip()
    own = metadata.metadata(name).get("License-Expression")
    assert own in (None, licence)


def test_an_audit_never_calls_sound_what_it_did_not_look_at() -> None:
    assert told([]) == (["no index that knows of vulnerabilities was reached: nothing was audited"], 0)
    assert told([UNKNOWN])[0] == told([])[0]
    assert told([VULNERABLE, UNKNOWN, {"name": "a", "version": "1", "vulns": []}]) == (
        [
            "b 1: CVE-1",
            "2 libraries audited, 1 with a known vulnerability; 1 are not known there and were not audited",
        ],
        1,
    )
