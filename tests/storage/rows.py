"""Rows for every table of the schema, made from the schema: two townships with the same ids and other contents.

What identifies a row or is searched for (ids, keys, addresses, names, codes) is the same in every township; each
other text names its township and each other number ends in it, so that whatever crosses from one to another shows.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from storage.database import Tx
from storage.engine.migrate import load_migrations, statements
from storage.vault.keyfile import make_key
from storage.vault.vault import Vault

ROWS = 4
_ONE_OF = re.compile(r"^\s*(\w+) TEXT[^,]*? CHECK \(\1 IN \(([^)]*)\)\)", re.M)


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `choices` are the texts that its CHECK allows, if it names them."""

    name: str
    type: str
    nullable: bool
    choices: tuple[str, ...]
    in_key: bool


@cache
def schema() -> Mapping[str, tuple[Column, ...]]:
    """Every table and its columns, as the migrations make them."""
    connection = sqlite3.connect(":memory:")
    for migration in load_migrations():
        for statement in statements(migration.sql):
            connection.execute(statement)
    found = {}
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid"):
        one_of = {column: tuple(re.findall(r"'([^']*)'", choices)) for column, choices in _ONE_OF.findall(sql)}
        found[name] = tuple(
            Column(column, type_, not not_null, one_of.get(column, ()), bool(in_key))
            for _, column, type_, not_null, _, in_key in connection.execute(f"PRAGMA table_info({name})")
        )
    connection.close()
    return found


VAULT_KEY = make_key()
VAULT = Vault(VAULT_KEY)


@cache
def wrapped(township_id: int, purpose: int, day: int) -> bytes:
    """A data key, sealed once: it is another each time."""
    return VAULT.wrap(bytes(32), (township_id, purpose, day))


def hash_of(words: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(words.encode()).hexdigest()


MEDIA = tuple(f"{'iv'[at % 2]}{at:031x}" for at in range(1, ROWS + 1))
HASHES = tuple(hash_of(f"file {at}") for at in range(1, ROWS + 1))
TOKENS = tuple(hash_of(f"token {at}") for at in range(1, ROWS + 1))
ACCOUNTS = ("fund:county", "household:1", "hold:case:2", "person:1")
MANY = (None,) * ROWS  # the column is empty in every row

# Columns that say the same in every township: a value for each row.
SAME: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            "person_id",
            "household_id",
            "case_id",
            "area_id",
            "village_id",
            "landmark_id",
            "station_id",
            "ticket_id",
            "report_id",
            "operator_id",
            "author_id",
            "id",
            "by_person",
            "decided_by",
            "linked_by",
            "granted_by",
            "created_by",
            "imported_by",
            "position",
        ),
        (1, 2, 3, 4),
    ),
    **dict.fromkeys(("until_ms", "used_ms", "used_by", "withdrawn_ms", "expires_ms", "settles_ms"), MANY),
    **dict.fromkeys(("merged_into", "replaces", "corrects", "duplicate_of", "maybe_duplicate_of"), MANY),
    **dict.fromkeys(("photos",), ("[]", '["i1"]', "[]", "[]")),
    "address": ("web:1", "web:2", "web:3", "telegram:4"),
    "owner_address": tuple(f"web:{at}" for at in (1, 2, 3, 4)),
    "channel": ("web", "telegram", "web", "telegram"),
    "update_key": ("u1", "u2", "u3", "u4"),
    "message_key": ("m1", "m2", "m3", "m4"),
    "timer_key": ("t1", "t2", "t3", "t4"),
    "transfer_key": ("k1", "k2", "k3", "k4"),
    "what": ("inbox.words", "outbox.words", "sessions", "cases.places"),
    "token_hash": TOKENS,
    "media_id": MEDIA,
    "code": ("c1", "c2", "c3", "c4"),
    "card_no": ("N1", "N2", "N3", "N4"),
    "number": ("2026-0001", "2026-0002", "2026-0003", "2026-0004"),
    "level": ("village", "village", "hamlet", "town"),
    "role": ("staff", "cleaner", "staff", "grid_keeper"),
    "cell": (7, 7, 8, 8),
    "version": (1, 2, 1, 1),
    "year": (2025, 2026, 2027, 2028),
    "day": ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"),
    "cadence": ("weekly", "daily", "friday", "monthly"),
    "period": ("2026-W01", "2026-01-01", "2026-W02", "2026-01"),
    "account": ACCOUNTS,
    "source": ("fund:county", "household:1", "programme:cases", "hold:case:1"),
    "destination": ("household:1", "person:1", "household:2", "household:3"),
    "unit": ("fen", "points", "points", "points"),
    "metric": ("people", "people", "trucks", "people"),
    "ref": ("case:1", "ticket:1", "case:2", "ticket:2"),
    "reason": ("film", "report", "report", "film"),
    **dict.fromkeys(("lat",), (35.6, 35.7, 35.8, 35.9)),
    **dict.fromkeys(("lng",), (104.6, 104.7, 104.8, 104.9)),
    "datum": ("WGS-84",) * ROWS,
    **dict.fromkeys(("urgent", "anonymous", "is_householder", "reminders_off", "is_cleanup"), (0, 1, 0, 1)),
    **dict.fromkeys(("county_period", "township_period"), ("2026", "", "2026", "2026")),
}
# The same of one table, where its name alone does not say what it holds.
OF_TABLE: dict[tuple[str, str], tuple[Any, ...]] = {
    ("media", "id"): MEDIA,
    ("push_subscriptions", "id"): ("b1", "b2", "b3", "b4"),
    ("push_subscriptions", "made_ms"): (500, 600, 700, 800),
    ("push_subscriptions", "told_ms"): (0,) * ROWS,
    ("push_subscriptions", "endpoint"): tuple(f"https://push.example.cn/{at}" for at in (1, 2, 3, 4)),
    ("case_media", "media_id"): (*MEDIA[:3], MEDIA[0]),
    ("media", "original_of"): (None, "i" + "d" * 31, MEDIA[3], None),
    ("media", "ref"): ("r1", "r2", "", ""),
    ("media", "sha256"): HASHES,
    ("media", "state"): ("ready", "fetching", "refused", "ready"),
    ("media", "kind"): ("video", "image", "video", "image"),
    ("inbox", "channel"): ("web", "telegram", "web", "wechat"),
    ("inbox", "update_key"): ("u1", "u2", "u3", "o4+5"),
    ("inbox", "state"): ("new", "new", "quarantined", "done"),
    ("outbox", "state"): ("due", "waiting", "sent", "due"),
    ("outbox", "answers"): (None, None, 1, 1),
    ("outbox", "series"): (None, 2, 3, None),
    ("outbox", "held"): (None, None, None, 1),
    ("outbox", "urgent"): (0, 1, 0, 0),
    ("outbox", "card"): (None, "case:2026-0001", None, "menu"),
    ("outbox", "ref"): (None, "17", None, None),
    ("outbox", "changes"): (None, None, None, 2),
    ("outbox", "channel"): ("web", "telegram", "wecom", "telegram"),
    ("outbox", "body"): ("{}", "{}", '{"text":"words","mentions":["zhao","qian"]}', "{}"),
    ("timers", "state"): ("due", "due", "done", "failed"),
    ("timers", "payload"): ('{"case_id":1}', '{"address":"telegram:4"}', "{}", "{}"),
    ("timers", "kind"): ("media.fetch", "digest", "digest", "case.late"),
    ("people", "state"): ("active", "active", "merged", "active"),
    ("people", "merged_into"): (None, None, 1, None),
    ("people", "consent_version"): (1, None, 1, None),
    ("contacts", "state"): ("active", "active", "unreachable", "active"),
    ("contacts", "opened_from"): ("", "", "web:1", "telegram:4"),
    ("contacts", "renew_ms"): (0, 1_500, 0, 0),
    ("household_claims", "state"): ("pending", "pending", "confirmed", "denied"),
    ("household_members", "relation"): ("householder", "member", "proxy", "member"),
    ("household_names", "name"): ("张一", "张二", "张三", "张四"),
    ("household_names", "name_key"): tuple(name.encode().hex() for name in ("张一", "张二", "张三", "张四")),
    ("household_names", "version"): (1, 1, 1, 1),
    ("households", "householder"): ("张一", "张二", "张三", "张四"),
    ("households", "version"): (1, 1, 1, 1),
    ("households", "status"): ("active", "away", "active", "closed"),
    ("areas", "version"): (1, 1, 1, 1),
    ("areas", "parent_id"): (4, 4, 1, None),
    ("stations", "version"): (1, 1, 1, 1),
    ("policies", "version"): (1, 2, 3, 4),
    ("contact_events", "event"): ("joined", "refused", "disconnected", "joined"),
    ("invitations", "kind"): ("role", "link", "role", "link"),
    ("invitations", "used_by"): (None, None, 3, None),
    ("invitations", "used_ms"): (None, None, 3_000, None),
    ("invitations", "asked_by"): (None, None, 3, None),
    ("invitations", "asked_ms"): (None, None, 2_900, None),
    ("cases", "kind"): ("dumping", "river", "dumping", "river"),
    ("cases", "state"): ("registered", "verified", "registered", "closed"),
    ("cases", "decided_ms"): (None, 2_500, None, 4_500),
    ("cases", "late_ms"): (1_600, 2_600, 3_600, 4_600),
    ("bundles", "wait"): ("cases",) * ROWS,
    ("bundled", "wait"): ("cases",) * ROWS,
    ("media", "person_id"): (1, 2, 3, None),
    ("media", "sealed"): tuple(f'[{at},"web:{at}"]'.encode() for at in range(1, ROWS + 1)),
    ("household_members", "sealed"): tuple(f"[{at},null]".encode() for at in range(1, ROWS + 1)),
    ("household_claims", "sealed"): tuple(f"[{at},null]".encode() for at in range(1, ROWS + 1)),
    ("case_reporters", "sealed"): tuple(f"[{at},{at},null]".encode() for at in range(1, ROWS + 1)),
    ("transfers", "reason"): ("film", "report", "report_verified", "film"),
    ("case_reporters", "reporter_key"): (1, 2, 3, 77),
    ("reporter_looks", "request_id"): (1, 1, 1, 4),
    ("reward_months", "month"): ("2026-11",) * ROWS,
    ("reward_months", "verifier_id"): (0, 1, 2, 3),
    ("reward_holds", "case_id"): (4, 78, 79, 80),
    ("reward_holds", "ended_ms"): (None,) * ROWS,
    ("reward_hints", "month"): ("2026-10",) * ROWS,
    ("pin_events", "event"): ("set", "right", "wrong", "wrong"),
    ("pin_events", "door"): ("web:1",) * ROWS,
    ("pin_events", "at_ms"): (5_000,) * ROWS,
    ("reporter_looks", "event"): ("asked", "confirmed", "seen", "refused"),
    ("reporter_looks", "why"): ("pay", "pay", "pay", "no_right"),
    ("reporter_looks", "actor_key"): (1, 2, 1, 1),
    ("reporter_looks", "sealed"): tuple(f'[{at},{at},""]'.encode() for at in range(1, ROWS + 1)),
    ("case_reporters", "claimed"): (None, b"[2,3,null]", None, None),
    ("case_reporters", "claimed_key"): (None, 3, None, None),
    ("case_reporters", "granted"): (0, 1, 0, 1),
    ("vault_keys", "day"): (1, 2, 3, 4),
    ("vault_keys", "purpose"): (1, 1, 2, 2),
    ("vault_keys", "lock"): (VAULT.lock,) * ROWS,
    ("case_events", "event"): ("registered", "registered", "verified", "closed"),
    ("film_waits", "kind"): ("held", "objected", "held", "held"),
    ("film_waits", "until_ms"): (None, None, 9_000, 9_100),
    ("film_ticket_events", "kind"): ("counted", "held", "objected", "approved"),
    ("film_tickets", "kind"): ("mulch", "drip", "mulch", "mulch"),
    ("film_tickets", "corrects"): (None, 1, None, None),
    ("film_tickets", "gross_g"): (16_000, 17_000, 18_000, 19_000),
    ("film_tickets", "tare_g"): (1_000,) * ROWS,
    ("film_tickets", "net_g"): (15_000, 16_000, 17_000, 18_000),
    ("film_tickets", "held_for"): ("", "heavy", "", ""),
    ("film_budgets", "fund"): ("county", "township", "county", "township"),
    ("film_budgets", "period"): ("2026", "2026", "2025", "2025"),
    ("balances", "unit"): ("fen", "fen", "points", "points"),
    ("balances", "may_be_negative"): (1, 0, 0, 1),
    ("duty_drops", "part"): ("", "", "", ""),
    ("cleanup_reports", "replaces"): (None, None, 2, None),
    ("cleanup_reports", "day"): ("2026-01-01", "2026-01-02", "2026-01-02", "2026-01-01"),
    ("effort_entries", "report_id"): (1, 2, 3, 77),
    ("digest_undelivered", "state"): ("waiting", "failed", "expired", "waiting"),
    ("erased_through", "through_id"): (1, 0, 1, 0),
    ("erased_through", "what"): ("walk 1", "seal.photos", "walk 3", "seal.people"),
    ("channel_faults", "channel"): ("web", "telegram", "wechat", "wecom"),
    ("channel_faults", "fault"): ("no_answer", "", "disk_full", ""),
    ("outbox", "error"): (None, "unreadable: JSONDecodeError", None, "no_answer"),
    ("wechat_tokens", "name"): ("words", "access_token", "jsapi_ticket", "other"),
    ("wecom_names", "name"): ("zhao", "qian", "", "sun"),
    ("wecom_names", "person_id"): (1, 2, 3, 77),
    ("wechat_quotas", "address"): ("web:1", "web:2", "web:91", "wechat:92"),
}


def value(table: str, column: Column, at: int, township_id: int) -> Any:
    """What row `at` (1 to ROWS) of a table holds in a column."""
    name = column.name
    if name == "township_id":
        return township_id
    same = OF_TABLE.get((table, name)) or (SAME.get(name) if (table, name) != ("townships", "code") else None)
    if same is not None and (column.nullable or same[at - 1] is not None):
        return same[at - 1]
    if column.choices:
        return column.choices[(at - 1) % len(column.choices)]
    if (table, name, at) in (("balances", "balance", 1), ("balances", "balance", 4)):
        return -10 * at - township_id  # the two that may be below zero
    if (table, name, at) == ("inbox", "due_ms", 2):
        return 2_500 + township_id  # put off
    if (table, name) == ("vault_keys", "wrapped"):
        purpose, day = OF_TABLE[table, "purpose"][at - 1], OF_TABLE[table, "day"][at - 1]
        return wrapped(township_id, purpose, day)
    if column.type == "INTEGER":
        return (1_000 if name.endswith("_ms") else 10) * at + township_id
    if column.type == "REAL":
        return at + township_id / 10
    words = f"{table}.{name} {at} of {township_id}"
    return words.encode() if column.type == "BLOB" else words


async def fill(tx: Tx, township_id: int) -> None:
    """Write every row of a township."""
    for table, columns in schema().items():
        names = [column.name for column in columns]
        many = sum(column.in_key for column in columns) > 1  # else there is one row for each township
        there = " ON CONFLICT DO NOTHING" if table == "turns" else ""  # whoever is alone has made it already
        await tx.many(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)}){there}",
            [
                {column.name: value(table, column, at, township_id) for column in columns}
                for at in range(1, 1 + (ROWS if many else 1))
            ],
        )


async def snapshot(tx: Tx, township_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a township, table by table, in a fixed order."""
    found = {}
    for table, columns in schema().items():
        names = ", ".join(column.name for column in columns)
        rows = await tx.all(f"SELECT {names} FROM {table} WHERE township_id = :t", {"t": township_id})
        found[table] = sorted((tuple(row) for row in rows), key=repr)
    return found
