"""The numbers that a township sets: what they declare."""

from __future__ import annotations

from handlers.capability import Capability

POLICY = Capability(
    name="policy",
    pages=("operator.md",),
    without={
        "figures": "a policy holds, nothing is counted of it",
        "waits": "an import is accepted or refused at once",
        "checks": "its versions are looked at with those of places: areas, versions",
        "forgets": "a policy names offices, not people",
        "story": "imported on the command line: tests/storage/test_import.py, tests/rules/test_policy.py",
    },
)
