"""What must hold of rows that belong together: versions without a gap, corrections of what is there; for `verify`."""

from __future__ import annotations

from storage.database import Tx
from storage.versions import KEYS

# A column, and the table whose `id` it names.
REFERENCES = (
    ("case_events", "case_id", "cases"),
    ("case_media", "case_id", "cases"),
    ("case_reporters", "case_id", "cases"),
    ("cases", "duplicate_of", "cases"),
    ("film_ticket_events", "ticket_id", "film_tickets"),
    ("film_tickets", "corrects", "film_tickets"),
    ("cleanup_reports", "replaces", "cleanup_reports"),
    ("effort_entries", "report_id", "cleanup_reports"),
)


async def version_faults(tx: Tx) -> list[str]:
    """Rows of which a version is missing, or two are in force, one line each; empty when there is none."""
    found = []
    for table, key in KEYS.items():
        rows = await tx.all(
            f"SELECT {key} AS id, COUNT(*) AS n, MAX(version) AS last FROM {table} WHERE township_id = :t"
            f" GROUP BY {key} HAVING COUNT(*) <> MAX(version)"
            f" OR SUM(CASE WHEN until_ms IS NULL THEN 1 ELSE 0 END) > 1 ORDER BY {key}"
        )
        found += [f"{table} {row['id']}: {row['n']} versions up to {row['last']}, or two in force" for row in rows]
    row = await tx.one("SELECT COUNT(*) AS n, MAX(version) AS last FROM policies WHERE township_id = :t")
    if row and row["n"] != (row["last"] or 0):
        found.append(f"policies: {row['n']} versions up to {row['last']}")
    return found


async def reference_faults(tx: Tx) -> list[str]:
    """Columns that name rows which are not there, and tickets without an event, one line each."""
    found = []
    for table, column, other in REFERENCES:
        row = await tx.one(
            f"SELECT COUNT(*) AS n FROM {table} r WHERE r.township_id = :t AND r.{column} IS NOT NULL AND NOT EXISTS"
            f" (SELECT 1 FROM {other} o WHERE o.township_id = :t AND o.id = r.{column})"
        )
        if row and row["n"]:
            found.append(f"{table}.{column}: {row['n']} rows name one of {other} that is not there")
    row = await tx.one(
        "SELECT COUNT(*) AS n FROM film_tickets f WHERE f.township_id = :t AND NOT EXISTS"
        " (SELECT 1 FROM film_ticket_events e WHERE e.township_id = :t AND e.ticket_id = f.id)"
    )
    if row and row["n"]:
        found.append(f"film_tickets: {row['n']} without an event")
    return found
