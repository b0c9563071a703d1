"""The schema is written for SQLite; this says the same to PostgreSQL. It knows the few forms that migrations use."""

from __future__ import annotations

import re

REFUSE = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END $$
"""
TYPES = {"INTEGER": "BIGINT", "TEXT": 'TEXT COLLATE "C"', "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION"}
_TYPE = re.compile(rf"\b({'|'.join(TYPES)})\b")
_COMMENT = re.compile(r"^\s*--.*$", re.M)
_TABLE = re.compile(r"\)\s*STRICT(?:,\s*WITHOUT ROWID)?\s*;\s*$")
_TRIGGER = re.compile(
    r"CREATE TRIGGER (\w+) BEFORE (UPDATE|DELETE) ON (\w+)\s+BEGIN SELECT RAISE\(ABORT, ('[^']*')\); END;\s*$"
)
_HEX = re.compile(r"lower\(hex\((.*)\)\);\s*$", re.DOTALL)
_PLAIN = re.compile(
    r"(CREATE (UNIQUE )?INDEX|INSERT INTO|UPDATE|DROP (INDEX|TABLE|TRIGGER)|ALTER TABLE \w+ (DROP|RENAME))\b"
)


def to_postgres(statement: str) -> str:
    """One statement of a migration for PostgreSQL. Raises ValueError for a form that this page doesn't know."""
    said = _COMMENT.sub("", statement).strip()
    trigger = _TRIGGER.match(said)
    if trigger:
        name, event, table, message = trigger.groups()
        return f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse({message})"
    if said.startswith("CREATE TABLE "):
        body, closed = _TABLE.subn(")", said)
        if closed == 1:
            return _TYPE.sub(lambda found: TYPES[found[1]], body)
    if re.match(r"ALTER TABLE \w+ ADD COLUMN ", said):
        return _TYPE.sub(lambda found: TYPES[found[1]], said)
    if _PLAIN.match(said):
        return _HEX.sub(r"encode(convert_to(\1, 'UTF8'), 'hex');", said)
    raise ValueError(f"a migration says what PostgreSQL is not told how to do: {said[:80]}")
