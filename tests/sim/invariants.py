"""What must hold: always after a restart, and at the end when everything has drained."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from bot.talk.session import Session
from tests.sim.platform import JUNK, Platform

KEPT = ("inbox", "outbox", "timers", "transfers", "people", "contacts", "cases", "events", "tickets", "sim_effects")
DATUMS = {"WGS-84", "GCJ-02", "BD-09"}
PRODUCT_LAWS = {
    "{0} took effect {1} times": (
        "SELECT token, COUNT(*) FROM sim_effects GROUP BY person_id, token HAVING COUNT(*) > 1"
    ),
    "{0} was submitted by a button of review {1} after review {2} was shown": (
        "SELECT token, pressed, shown FROM sim_effects WHERE pressed < shown"
    ),
    "{0} was written though it failed": "SELECT token FROM sim_effects WHERE how IN ('boom', 'refused')",
    "a point without a datum: {0}": "SELECT lat FROM sim_effects WHERE lat IS NOT NULL AND datum IS NULL",
    "{0} ran {1} times": (
        "SELECT ref, COUNT(*) FROM transfers WHERE reason IN ('day', 'settle', 'shake')"
        " GROUP BY reason, ref HAVING COUNT(*) > 1"
    ),
}


@dataclass
class Watch:
    """Looks at the database between the program's lives. Returns broken promises as sentences."""

    platform: Platform
    counts: dict[str, int] = field(default_factory=dict)

    def always(self, connection: sqlite3.Connection) -> list[str]:
        """What holds at every moment, also right after a crash."""
        found = [*ledger(connection), *sessions(connection), *self._kept(connection), *data(connection)]
        stored = {row[0] for row in connection.execute("SELECT update_key FROM inbox")}
        lost = [update.key for update in self.platform.acked if update.key not in stored]
        if lost:
            found.append(f"acknowledged and lost: {lost[:5]}")
        settled = {row[0] for row in connection.execute("SELECT id FROM outbox WHERE state IN ('sent', 'waiting')")}
        unsent = settled - self.platform.sent.keys()
        if unsent:
            found.append(f"marked as sent, never arrived: {sorted(unsent)[:5]}")
        self.platform.settled = {row[0] for row in connection.execute("SELECT id FROM outbox WHERE state <> 'due'")}
        return found + self._to_repeat()

    def _to_repeat(self) -> list[str]:
        """Of each person's messages at most the last one may have arrived without a note of it."""
        last = max((sent.life for sent in self.platform.sent.values()), default=0)
        open_letters: dict[str, list[int]] = {}
        for letter_id, sent in self.platform.sent.items():
            if sent.life == last and letter_id not in self.platform.settled:
                open_letters.setdefault(sent.address, []).append(letter_id)
        return [
            f"{address} will hear {len(ids)} messages again" for address, ids in open_letters.items() if len(ids) > 1
        ]

    def _kept(self, connection: sqlite3.Connection) -> list[str]:
        """Rows of these tables are never deleted."""
        found = []
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in KEPT:
            if table in tables:
                count = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
                if count < self.counts.get(table, 0):
                    found.append(f"{table} shrank from {self.counts[table]} to {count}")
                self.counts[table] = count
        return found

    def at_the_end(self, connection: sqlite3.Connection, now_ms: int) -> list[str]:
        """What holds once nothing is under way."""
        found = self.always(connection)
        waiting = connection.execute("SELECT COUNT(*) FROM inbox WHERE state = 'new'").fetchone()[0]
        if waiting:
            found.append(f"{waiting} updates were never handled")
        rows = connection.execute(
            "SELECT update_key, error FROM inbox"
            " WHERE body <> :junk AND state = 'quarantined' AND error NOT LIKE 'Defect%'"
            " UNION SELECT update_key, 'not in quarantine' FROM inbox WHERE body = :junk AND state <> 'quarantined'",
            {"junk": JUNK},
        ).fetchall()
        if rows:
            found.append(f"quarantine: {[tuple(row) for row in rows][:3]}")
        due = connection.execute(
            "SELECT COUNT(*) FROM outbox WHERE state = 'due' AND due_ms <= ?", (now_ms,)
        ).fetchone()[0]
        if due:
            found.append(f"{due} messages were never sent")
        found += self._unexplained(connection)
        timers = connection.execute(
            "SELECT timer_key, state, error FROM timers WHERE state = 'failed' OR (state = 'due' AND fire_ms <= ?)",
            (now_ms,),
        ).fetchall()
        if timers:
            found.append(f"timers not run: {[tuple(row) for row in timers][:3]}")
        return found

    def _unexplained(self, connection: sqlite3.Connection) -> list[str]:
        """Messages that failed though nobody refused them and they were not a day old, or expired without a date."""
        found = []
        for row in connection.execute(
            "SELECT id, state, error, expires_ms FROM outbox WHERE state IN ('failed', 'expired')"
        ):
            old = row["error"] in ("busy", "timed out")
            if row["state"] == "failed" and row["id"] not in self.platform.refused and not old:
                found.append(f"message {row['id']} failed: {row['error']}")
            if row["state"] == "expired" and row["expires_ms"] is None:
                found.append(f"message {row['id']} expired without a date")
        return found


def ledger(connection: sqlite3.Connection) -> list[str]:
    """Balanced, derived again, nobody below zero, one input a key."""
    derived: dict[tuple[str, str], int] = {}
    keys: set[str] = set()
    found = []
    for row in connection.execute("SELECT source, destination, unit, amount, transfer_key FROM transfers"):
        for account, change in ((row["source"], -row["amount"]), (row["destination"], row["amount"])):
            derived[account, row["unit"]] = derived.get((account, row["unit"]), 0) + change
        if row["transfer_key"] in keys:
            found.append(f"transfer key {row['transfer_key']} twice")
        keys.add(row["transfer_key"])
    stored = {(row[0], row[1]): row[2] for row in connection.execute("SELECT account, unit, balance FROM balances")}
    if stored != derived:
        different = {key for key in stored | derived if stored.get(key) != derived.get(key)}
        found.append(f"balances are not their transfers: {sorted(different)[:5]}")
    totals: dict[str, int] = {}
    for (account, unit), amount in stored.items():
        totals[unit] = totals.get(unit, 0) + amount
        if amount < 0 and not account.startswith(("fund:", "programme:")):
            found.append(f"{account} is at {amount} {unit}")
    found += [f"{unit} sum to {total}" for unit, total in totals.items() if total]
    return found


def sessions(connection: sqlite3.Connection) -> list[str]:
    """Every stored session can be read."""
    found = []
    for row in connection.execute("SELECT person_id, body FROM sessions"):
        try:
            Session.from_json(orjson.loads(row["body"]))
        except (KeyError, TypeError, ValueError) as error:
            found.append(f"session of {row['person_id']}: {error!r}")
    return found


def data(connection: sqlite3.Connection) -> list[str]:
    """Every point of a session carries its datum."""
    return [
        f"a point without a datum in the session of {row['person_id']}"
        for row in connection.execute("SELECT person_id, body FROM sessions")
        for frame in orjson.loads(row["body"])["frames"]
        for answer in frame["answers"].values()
        if isinstance(answer, Mapping) and "lat" in answer and answer.get("datum") not in DATUMS
    ]


def product_always(connection: sqlite3.Connection) -> list[str]:
    """The simulator's own product: each token once and as last reviewed; each period once, each timer once."""
    found = []
    for words, sql in PRODUCT_LAWS.items():
        found += [words.format(*row) for row in connection.execute(sql)]
    counted = {row[0]: row[1] for row in connection.execute("SELECT person_id, n FROM sim_counters")}
    effects = {
        row[0]: row[1] for row in connection.execute("SELECT person_id, COUNT(*) FROM sim_effects GROUP BY person_id")
    }
    if counted != effects:
        found.append(f"counters {counted} are not the effects {effects}")
    return found


def product_at_the_end(connection: sqlite3.Connection, tokens: set[str], said: set[str], now_ms: int) -> list[str]:
    """Every wish has its effect, its settled points and its timers; every period of the cadence ran."""
    effects = {row[0] for row in connection.execute("SELECT token FROM sim_effects")}
    found = []
    if tokens - effects:
        found.append(f"wished, and not there: {sorted(tokens - effects)}")
    if effects - tokens - said:
        found.append(f"there, and never said: {sorted(effects - tokens - said)}")
    for reason, kind in (
        ("settle", "sim.settle"),
        ("shake", "sim.shaky"),
        ("day", "sim.daily"),
        ("fetched", "sim.fetch"),
    ):
        ran = connection.execute("SELECT COUNT(*) FROM transfers WHERE reason = ?", (reason,)).fetchone()[0]
        planned = connection.execute(
            "SELECT COUNT(*) FROM timers WHERE kind = ? AND (fire_ms <= ? OR state = 'done')", (kind, now_ms)
        ).fetchone()[0]
        if ran != planned:
            found.append(f"{planned} timers {kind}, {ran} ran")
    held = connection.execute("SELECT account FROM balances WHERE account LIKE 'hold:%' AND balance <> 0").fetchall()
    if held:
        found.append(f"still held: {[row[0] for row in held][:5]}")
    return found
