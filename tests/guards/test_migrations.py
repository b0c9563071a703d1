"""A migration only adds, so that workers of the version before go on beside it (docs/decisions/0007).

What takes something away, or asks of old rows what the old code does not give, stands in a file `NNNN_name.after.sql`
and is applied when none of the old workers runs any more. Migrations up to FIRST_RELEASE came before there were
several workers.
"""

from __future__ import annotations

import re

import pytest

from storage.engine.migrate import Migration, load_migrations, statements

FIRST_RELEASE = 8
COMMENT = re.compile(r"^\s*--.*$", re.M)
CREATE_TABLE = re.compile(r"CREATE TABLE (\w+) ")
CREATE_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX \w+ ON (\w+) ")
CREATE_TRIGGER = re.compile(r"CREATE TRIGGER \w+ BEFORE (?:UPDATE|DELETE) ON (\w+)\s")
ADD_COLUMN = re.compile(r"ALTER TABLE (\w+) ADD COLUMN \w+ (?:INTEGER|TEXT|REAL|BLOB)( NOT NULL DEFAULT [^ ,]+)?;$")
ONLY = (
    "only CREATE TABLE, CREATE INDEX, ADD COLUMN (nullable, or NOT NULL with DEFAULT), INSERT and UPDATE leave old"
    " code as it was; the rest belongs in NNNN_name.after.sql"
)
CHANGE_ROWS = re.compile(r"(INSERT INTO|UPDATE) \w+ ")


def what_is_wrong(sql: str) -> list[str]:
    """The statements of a migration that an old worker may stumble over, each with the reason."""
    found, new = [], set()
    for statement in statements(sql):
        said = COMMENT.sub("", statement).strip()
        begins = said.replace("\n", " ")[:70]
        if table := CREATE_TABLE.match(said):
            new.add(table[1])
        elif index := CREATE_INDEX.match(said):
            if index[1] and index[2] not in new:
                found.append(f"{begins}…: old code may write what a new UNIQUE refuses")
        elif trigger := CREATE_TRIGGER.match(said):
            if trigger[1] not in new:
                found.append(f"{begins}…: old code may do what a new trigger refuses")
        elif not (ADD_COLUMN.match(said) or CHANGE_ROWS.match(said)):
            found.append(f"{begins}…: {ONLY}")
    return found


@pytest.mark.parametrize("migration", load_migrations()[FIRST_RELEASE:], ids=lambda one: f"{one.number:04}_{one.name}")
def test_a_migration_only_adds_or_comes_after_the_code(migration: Migration) -> None:
    if not migration.after:
        assert what_is_wrong(migration.sql) == []


TABLE = "CREATE TABLE a (\n    township_id INTEGER NOT NULL,\n    PRIMARY KEY (township_id)\n) STRICT, WITHOUT ROWID;\n"


@pytest.mark.parametrize(
    "sql",
    [
        TABLE,
        TABLE + "CREATE UNIQUE INDEX b ON a (township_id);\n",
        TABLE + "CREATE TRIGGER b BEFORE DELETE ON a\nBEGIN SELECT RAISE(ABORT, 'never'); END;\n",
        "-- why\nCREATE INDEX b ON inbox (township_id, id) WHERE state = 'new';\n",
        "ALTER TABLE inbox ADD COLUMN b INTEGER;\n",
        "ALTER TABLE inbox ADD COLUMN b TEXT NOT NULL DEFAULT '';\n",
        "INSERT INTO turns (township_id) SELECT township_id FROM townships;\n",
        "UPDATE people SET name = '' WHERE name = 'x';\n",
    ],
)
def test_what_adds_is_let_through(sql: str) -> None:
    assert what_is_wrong(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE inbox;\n",
        "DROP INDEX inbox_new;\n",
        "DROP TRIGGER cases_no_delete;\n",
        "DELETE FROM inbox;\n",
        "ALTER TABLE inbox DROP COLUMN error;\n",
        "ALTER TABLE inbox RENAME COLUMN error TO fault;\n",
        "ALTER TABLE inbox RENAME TO letters;\n",
        "ALTER TABLE inbox ADD COLUMN b INTEGER NOT NULL;\n",
        "ALTER TABLE inbox ADD COLUMN b INTEGER CHECK (b > 0);\n",
        "ALTER TABLE inbox ADD COLUMN b INTEGER UNIQUE;\n",
        "CREATE UNIQUE INDEX b ON inbox (township_id, address);\n",
        "CREATE TRIGGER b BEFORE UPDATE ON inbox\nBEGIN SELECT RAISE(ABORT, 'never'); END;\n",
        TABLE + "DROP TABLE people;\n",
    ],
)
def test_what_takes_away_is_found(sql: str) -> None:
    assert len(what_is_wrong(sql)) == 1
