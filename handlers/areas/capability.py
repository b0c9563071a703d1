"""Places, households and their import: what they declare."""

from __future__ import annotations

from handlers.areas import checks
from handlers.capability import Capability

AREAS = Capability(
    name="areas",
    readers=(lambda world: world.places.names_in,),
    checks={"versions": checks.version_faults},
    pages=("operator.md",),
    without={
        "figures": "places are what figures are counted by",
        "waits": "an import is accepted or refused at once",
        "forgets": "a register of places and of households' cards, kept by law and brought by import",
        "story": "imported on the command line: tests/storage/test_import.py",
    },
)
