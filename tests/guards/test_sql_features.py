"""The SQL in use, feature by feature: all of it runs on SQLite, PostgreSQL ≥ 14, Citus and YugabyteDB's YSQL.

Every storage function is called (`tests/storage/surface.py`) while its statements are noted and parsed. Citus runs any
SQL that touches a single shard, and YSQL any of PostgreSQL's that is listed here; so beside the features it is looked
at that each table of each statement is bound to one township where it stands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from storage.database import Tx
from storage.engine.opening import SQLITE, bring_up_to_date, open_database
from tests.guards.sql import features, not_bound, orders_by_null, pieces_of_sql, strings_of
from tests.storage import rows
from tests.storage.surface import CROSSING, ENGINE, Spy, call, calls_of, public_functions

ROOT = Path(__file__).parents[2]

# What is used · one function that uses it · why, or what to mind.
ALLOWED: dict[str, tuple[str, str]] = {
    "SELECT": ("people.person", ""),
    "SELECT without FROM": ("inbox.counts", "several counts as one row"),
    "SELECT * FROM (subquery)": ("ledger.entries_of", "each branch of the union has its own ORDER BY and LIMIT"),
    "SELECT DISTINCT": ("duties.days_reported", ""),
    "INSERT … VALUES": ("people.add_person", "one row; more by executemany. Columns are always named"),
    "INSERT … SELECT": ("owners.move", "both tables are the same township's, so Citus keeps it on one shard"),
    "ON CONFLICT DO NOTHING": ("inbox.put", "the conflict's columns begin with the township, as Citus wants"),
    "ON CONFLICT DO UPDATE": ("sessions.save", ""),
    "ON CONFLICT DO UPDATE … WHERE": ("areas.set_township", "tells whether anything changed"),
    "RETURNING": ("numbers.next_number", ""),
    "UPDATE": ("inbox.done", "never of township_id: Citus can't move a row to another shard"),
    "UPDATE … AS": ("case_vault.forget_reporter", "shares a condition with a SELECT"),
    "DELETE": ("owners.forget", "grants and data keys only"),
    "JOIN": ("people.role_row", "on the township and an id"),
    "LEFT JOIN": ("sessions.by_address", "on the township and an id"),
    "WHERE": ("people.person", ""),
    "AND": ("people.person", ""),
    "OR": ("outbox.due", ""),
    "NOT": ("timers.due", ""),
    "comparison": ("inbox.oldest_new", ""),
    "IS NULL": ("versions.current", ""),
    "IN (list)": ("sessions.by_address", "padded to a power of two, so that few statements are prepared"),
    "IN (subquery)": ("cases.undecided", ""),
    "EXISTS": ("people.without_consent", ""),
    "LIKE": ("digests.points", "case counts on PostgreSQL and not on SQLite: only on what the program wrote itself"),
    "subquery in FROM": ("case_vault.reports_of", ""),
    "subquery as a value": ("film.ticket", ""),
    "UNION ALL": ("ledger.received_from", ""),
    "GROUP BY": ("cases.events_by_area", ""),
    "GROUP BY number": ("digests.points", "the column is an expression"),
    "HAVING": ("ledger.broken_balances", "repeats the expression: an alias is SQLite's own"),
    "ORDER BY": ("inbox.oldest_new", "of columns that are never NULL: the engines put NULL at different ends"),
    "ORDER BY … DESC": ("film.of_household", ""),
    "LIMIT": ("inbox.oldest_new", ""),
    "COUNT": ("inbox.counts", ""),
    "SUM": ("ledger.total", "NUMERIC on PostgreSQL; the engine makes it an int again"),
    "MIN": ("digests.undelivered_now", "of one column; the least of several is CASE"),
    "MAX": ("policies.add_policy", "of one column; the greatest of several is CASE"),
    "COALESCE": ("film.given", ""),
    "CASE": ("erasure.forget_words", ""),
    "CAST": ("digests.points", "the number in a transfer's ref, AS BIGINT"),
    "SUBSTR": ("digests.points", ""),
    "||": ("integrity.held_after_decision", ""),
    "+": ("numbers.next_number", ""),
    "-": ("cases.first_near", ""),
    "*": ("cases.first_near", ""),
    "minus sign": ("ledger.received_from", ""),
}
# What only the engine itself says to PostgreSQL: not every distributed one has all of it.
OF_THE_ENGINE = {
    "FOR UPDATE": "a township's turn; one row of one shard, so Citus and YSQL have it",
    "SKIP LOCKED": "who does not wait for a turn; the same",
    "SAVEPOINT": "undo one person's part of a batch; both",
    "REPEATABLE READ READ ONLY": "one moment for a reader; both",
    "CREATE TRIGGER": "rows that are for ever; YSQL; Citus with citus.enable_unsafe_triggers (they see their row only)",
    "pg_notify": "hints to other workers; Citus at the coordinator; not in YSQL, where workers look now and then",
    "pg_try_advisory_lock": "who has which duty; Citus at the coordinator; YSQL's newer versions",
    "pg_advisory_unlock": "the same",
    "pg_advisory_lock_shared": "how many workers of a kind there are; the same",
    "pg_locks": "counts those; YSQL's view does not speak of advisory locks, so a worker counts only itself there",
    "pg_database": "the same",
    "pg_advisory_lock": "one worker migrates, one move at a time; as above",
    "pg_catalog": "where the type of sums is found, when a connection is made",
    "pg_class": "which tables the target of a move has",
    "pg_namespace": "the same",
    "pg_stat_activity": "how many connections are free, for `doctor`",
    "pg_database_size": "for `doctor`",
}
# Where SQL may stand outside storage/, and why.
ELSEWHERE = {"bot/console/backups/contents.py": "reads the copy of a SQLite file, which no engine has open"}


# -- the statements


class Undone(Exception):
    """Ends a call's transaction."""


async def note_all() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with TemporaryDirectory() as folder:
        url = f"{SQLITE}{folder}/a.db"
        await bring_up_to_date(url, now_ms=0)
        database = await open_database(url)
        await database.transaction(lambda tx: rows.fill(tx, 1))
        for name, function in public_functions():
            for arguments in calls_of(name, function):

                async def work(tx: Tx, name=name, function=function, arguments=arguments) -> None:
                    await call(Spy(tx, found.setdefault(name, set())), function, arguments)
                    raise Undone

                with pytest.raises(Undone):
                    await database.transaction(work)
        await database.close()
    return found


@cache
def statements() -> Mapping[str, set[str]]:
    """Each function's statements."""
    return asyncio.run(note_all())


def every_statement() -> set[str]:
    return set().union(*statements().values())


# -- the rules


def test_only_features_of_the_list_are_used() -> None:
    found = [
        f"{name}: {feature} is not on the list of what every engine runs. Say it otherwise, or find out whether Citus"
        f" and YSQL run it within one township and add it to ALLOWED here with the reason: {sql.strip()[:100]}"
        for name, all_of_it in statements().items()
        for sql in sorted(all_of_it)
        for feature in sorted(features(sql) - set(ALLOWED))
    ]
    assert found == []


def test_what_the_list_says_is_so() -> None:
    wrong = [
        f"{name} does not use {feature}: name another function, or take it off the list"
        for feature, (name, _) in ALLOWED.items()
        if not any(feature in features(sql) for sql in statements()[name])
    ]
    assert wrong == []


def test_rows_are_not_ordered_by_what_may_be_null() -> None:
    """SQLite puts NULL first, PostgreSQL last."""
    nullable = {table: {one.name for one in columns if one.nullable} for table, columns in rows.schema().items()}
    found = [
        f"{name}: {columns} may be NULL: {sql.strip()[:120]}"
        for name, all_of_it in statements().items()
        for sql in sorted(all_of_it)
        if (columns := orders_by_null(sql, nullable))
    ]
    assert found == []
    assert orders_by_null("SELECT id FROM cases WHERE township_id = :t ORDER BY decided_ms, id", nullable)
    assert orders_by_null("SELECT c.id FROM cases c ORDER BY c.received_ms, c.cell DESC", nullable) == ["cases.cell"]


def test_what_the_engine_says_is_listed_too() -> None:
    said = "\n".join(text for path in sorted((ROOT / "storage" / "engine").glob("*.py")) for text in strings_of(path))
    assert [one for one in OF_THE_ENGINE if one not in said] == [], "no longer said: take it off the list"
    unknown = set(re.findall(r"\bpg_[a-z_]+", said)) - set(OF_THE_ENGINE)
    assert unknown == set(), "find out whether Citus and YSQL have it, and write it into OF_THE_ENGINE"


def test_each_table_of_each_statement_is_bound_to_the_township() -> None:
    found = [
        f"{name}: {unbound[0]} is not bound to :t where it stands: {sql.strip()[:160]}"
        for name, all_of_it in statements().items()
        if name not in CROSSING
        for sql in sorted(all_of_it)
        if (unbound := not_bound(sql))
    ]
    assert found == []


def test_every_piece_of_sql_in_the_house_was_looked_at() -> None:
    """Each string of `storage/` that says SQL is a part of a statement that was noted: no branch is left out."""
    noted = "\n".join(re.sub(r"\s+", " ", sql) for sql in every_statement())
    missing = [
        f"{path.name}: no call of tests/storage/surface.py runs «{piece[:90]}»"
        for path in sorted((ROOT / "storage").rglob("*.py"))
        if not ".".join(path.relative_to(ROOT).with_suffix("").parts).startswith(ENGINE)
        for piece in pieces_of_sql(path)
        if piece not in noted
    ]
    assert missing == []


@pytest.mark.parametrize("folder", ["bot", "handlers"])
def test_there_is_no_sql_elsewhere(folder: str) -> None:
    verbs = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) [\w:(*]")
    found = [
        f"{name}: {text[:60]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in strings_of(path)
        if verbs.match(text) and (name := path.relative_to(ROOT).as_posix()) not in ELSEWHERE
    ]
    assert found == []


def test_a_piece_of_sql_that_no_call_runs_is_seen(tmp_path: Path) -> None:
    """The check bites."""
    module = tmp_path / "module.py"
    module.write_text(
        '"""SELECT this."""\nasync def f(tx, x):\n    await tx.run(f"UPDATE {x} SET a = 1 WHERE {x} IN (2)")\n'
    )
    assert list(pieces_of_sql(module)) == ["UPDATE", "SET a = 1 WHERE", "IN (2)"]


@pytest.mark.parametrize(
    ("sql", "feature"),
    [
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT with with_"),
        ("SELECT SUM(a) OVER (PARTITION BY b) FROM c WHERE township_id = :t", "a node Window"),
        ("SELECT * FROM people WHERE township_id = :t", "SELECT *"),
        ("SELECT a FROM people WHERE township_id = :t FOR UPDATE", "SELECT with locks"),
        ("SELECT a->>'b' FROM people", "a node JSONExtractScalar"),
        ("SELECT a FROM b FULL JOIN c ON b.x = c.x", "FULL JOIN"),
        ("SELECT a FROM b, c", "JOIN without ON"),
        ("SELECT a FROM b UNION SELECT a FROM c", "UNION"),
        ("INSERT INTO a VALUES (:t, 1)", "INSERT without the names of its columns"),
        ("SELECT a FROM b WHERE a = ANY(:x)", "a node Any"),
        ("SELECT a FROM b WHERE a ILIKE :x", "a node ILike"),
        ("SELECT a FROM b LIMIT 5 OFFSET 5", "a node Offset"),
        ("SELECT MAX(a, b) FROM c", "MIN or MAX of several"),
        ("SELECT a = b AS c FROM d", "a condition as a value"),
        ("SELECT SUM(a > 1) FROM d", "a condition as a value"),
        ("SELECT EXISTS (SELECT 1 FROM a) FROM d", "a condition as a value"),
        ("SELECT a / 2 FROM d", "a node Div"),
    ],
)
def test_a_new_feature_is_seen(sql: str, feature: str) -> None:
    """The check bites."""
    assert feature in features(sql) - set(ALLOWED)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT name FROM people WHERE id = :id", ["people"]),
        ("SELECT name FROM people WHERE township_id = :t OR id = :id", ["people"]),
        ("SELECT name FROM people WHERE township_id = :other", ["people"]),
        ("SELECT p.name FROM people p JOIN roles r ON r.person_id = p.id WHERE p.township_id = :t", ["roles"]),
        ("SELECT (SELECT MAX(id) FROM cases) AS n FROM people WHERE township_id = :t", ["cases"]),
        (
            "SELECT id FROM people p WHERE p.township_id = :t AND EXISTS"
            " (SELECT 1 FROM roles r WHERE r.township_id = p.township_id)",
            ["roles"],
        ),
        ("UPDATE people SET name = '' WHERE id = :id", ["people"]),
        ("DELETE FROM people WHERE id = :id", ["people"]),
        ("INSERT INTO people (township_id, id) VALUES (:other, :id)", ["people"]),
        ("INSERT INTO people (id, township_id) VALUES (:id, :t)", ["people"]),
        ("SELECT p.name FROM people p JOIN roles r ON r.township_id = p.township_id WHERE p.township_id = :t", []),
        ("SELECT n FROM (SELECT id AS n FROM people WHERE township_id = :t) AS mine", []),
        ("UPDATE people SET name = :t WHERE township_id = :t AND id = :id", []),
    ],
)
def test_a_table_that_is_not_bound_is_seen(sql: str, tables: list[str]) -> None:
    """The check bites."""
    assert not_bound(sql) == tables
