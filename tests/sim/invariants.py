"""What must hold in a township: always, at whatever moment one looks, and at the end when everything has drained."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from bot.talk.session import Session
from tests.sim.chat.platform import JUNK
from tests.sim.sealed import opened

KEPT = ("inbox", "outbox", "timers", "transfers", "people", "contacts", "cases", "events", "tickets", "sim_effects")
DATUMS = {"WGS-84", "GCJ-02", "BD-09"}
WATCHED = """
CREATE TABLE sim_handled (n INTEGER PRIMARY KEY, township_id INTEGER NOT NULL, update_key TEXT NOT NULL,
    address TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TRIGGER sim_handled AFTER UPDATE OF state ON inbox BEGIN
    INSERT INTO sim_handled (township_id, update_key, address, body)
    VALUES (NEW.township_id, NEW.update_key, NEW.address, NEW.body);
END;
"""
IDLE = {
    "updates": "SELECT update_key FROM inbox WHERE township_id = :t AND state = 'new' AND due_ms < :before_ms",
    "timers": "SELECT timer_key FROM timers WHERE township_id = :t AND state = 'due' AND fire_ms < :before_ms",
}
Connection = sqlite3.Connection


@dataclass
class Watch:
    """Looks at one township's rows while workers come and go. Returns broken promises as sentences."""

    settled: ClassVar[str] = "<> 'due'"
    platform: Any
    counts: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    read_to: int = 0

    @property
    def township_id(self) -> int:
        """Whose rows."""
        return self.platform.township_id

    def _all(self, connection: Connection, sql: str, **values: Any) -> list[Any]:
        found = connection.execute(sql, {"t": self.township_id, **values}).fetchall()
        return opened(connection, found, self.township_id)

    def always(self, connection: Connection) -> list[str]:
        """What holds at every moment, also right after a crash."""
        found = [*ledger(connection, self.township_id), *self._sessions(connection), *self._kept(connection)]
        found += self._in_order(connection)
        stored = {row[0] for row in self._all(connection, "SELECT update_key FROM inbox WHERE township_id = :t")}
        stored |= self.seen  # the keys of somebody who was erased are not kept for ever
        lost = [update.key for update in self.platform.acked if update.key not in stored]
        if lost:
            found.append(f"acknowledged and lost: {lost[:5]}")
        return found + self._unsent(connection)

    def _unsent(self, connection: Connection) -> list[str]:
        """Messages that are taken for sent, and never arrived."""
        rows = self._all(connection, "SELECT id FROM outbox WHERE township_id = :t AND state IN ('sent', 'waiting')")
        unsent = {row[0] for row in rows} - self.platform.sent.keys()
        return [f"marked as sent, never arrived: {sorted(unsent)[:5]}"] if unsent else []

    def settle(self, connection: Connection) -> None:
        """Nobody is at work now: what is settled in the database may never be sent again."""
        rows = self._all(connection, f"SELECT id FROM outbox WHERE township_id = :t AND state {self.settled}")
        self.platform.settled = {row[0] for row in rows}

    def to_repeat(self, connection: Connection, life: int) -> list[str]:
        """Of each person's messages at most one may have been sent by that life without a note of it."""
        open_letters: dict[str, list[int]] = {}
        due = {
            row[0] for row in self._all(connection, "SELECT id FROM outbox WHERE township_id = :t AND state = 'due'")
        }
        for letter_id in due & self.platform.sent.keys():
            sent = self.platform.sent[letter_id]
            if sent.life == life:
                open_letters.setdefault(sent.address, []).append(letter_id)
        return [
            f"{address} will hear {len(ids)} messages again" for address, ids in open_letters.items() if len(ids) > 1
        ]

    def _in_order(self, connection: Connection) -> list[str]:
        """Each update was handled once, and a person's in the order in which they were sent."""
        found = []
        for row in self._all(
            connection, "SELECT * FROM sim_handled WHERE township_id = :t AND n > :n ORDER BY n", n=self.read_to
        ):
            self.read_to = row["n"]
            if row["update_key"] in self.seen:
                found.append(f"update {row['update_key']} was done twice")
            self.seen.add(row["update_key"])
            found += self._out_of_order(row)
        return found

    def _out_of_order(self, row: Any) -> list[str]:
        if not row["body"].startswith(b"{"):
            return []
        number, address = orjson.loads(row["body"])["number"], row["address"]
        before, self.last[address] = self.last.get(address, 0), number
        return [f"update {number} of {address} was done after {before}"] if number <= before else []

    def _kept(self, connection: Connection) -> list[str]:
        """Rows of these tables are never deleted."""
        found = []
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in KEPT:
            if table in tables:
                count = self._all(connection, f"SELECT COUNT(*) FROM {table} WHERE township_id = :t")[0][0]
                if count < self.counts.get(table, 0):
                    found.append(f"{table} shrank from {self.counts[table]} to {count}")
                self.counts[table] = count
        return found

    def _sessions(self, connection: Connection) -> list[str]:
        """Every stored session can be read, and every point in it carries its datum."""
        found = []
        for row in self._all(connection, "SELECT person_id, body FROM sessions WHERE township_id = :t"):
            try:
                Session.from_json(orjson.loads(row["body"]))
            except (KeyError, TypeError, ValueError) as error:
                found.append(f"session of {row['person_id']}: {error!r}")
            frames = orjson.loads(row["body"])["frames"]
            found += [
                f"a point without a datum in the session of {row['person_id']}"
                for answer in (answer for frame in frames for answer in frame["answers"].values())
                if isinstance(answer, Mapping) and "lat" in answer and answer.get("datum") not in DATUMS
            ]
        return found

    def idle(self, connection: Connection, before_ms: int) -> list[str]:
        """What nobody has looked at since then, though nothing goes wrong any more."""
        found = []
        for words, sql in IDLE.items():
            rows = self._all(connection, sql, before_ms=before_ms)
            if rows:
                found.append(f"{words} {[row[0] for row in rows][:3]} wait since {before_ms}")
        return found

    def at_the_end(self, connection: Connection, now_ms: int) -> list[str]:
        """What holds once nothing is under way."""
        found = self.always(connection)
        waiting = self._all(connection, "SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'new'")[0][0]
        if waiting:
            found.append(f"{waiting} updates were never handled")
        rows = self._all(
            connection,
            "SELECT update_key, error, state, body FROM inbox WHERE township_id = :t"
            " AND (state <> 'quarantined' OR error NOT LIKE 'Defect%') AND body <> x''",
        )
        wrong = [
            (row["update_key"], row["error"] or "not in quarantine")
            for row in rows
            if (row["state"] == "quarantined") != (row["body"] == JUNK)
        ]
        if wrong:
            found.append(f"quarantine: {wrong[:3]}")
        due = self._all(
            connection,
            "SELECT COUNT(*) FROM outbox WHERE township_id = :t AND state = 'due' AND due_ms <= :now_ms",
            now_ms=now_ms,
        )[0][0]
        if due:
            found.append(f"{due} messages were never sent")
        found += self._unexplained(connection)
        timers = self._all(
            connection,
            "SELECT timer_key, state, error FROM timers WHERE township_id = :t"
            " AND (state = 'failed' OR (state = 'due' AND fire_ms <= :now_ms))",
            now_ms=now_ms,
        )
        if timers:
            found.append(f"timers not run: {[tuple(row) for row in timers][:3]}")
        return found

    def _is_superseded(self, row: Any) -> bool:
        """Whether a message ended because a newer one took its place."""
        return False

    def _unexplained(self, connection: Connection) -> list[str]:
        """Messages that failed though nobody refused them and they were not a day old, or expired without a date."""
        found = []
        for row in self._all(
            connection,
            "SELECT id, body, state, error, expires_ms FROM outbox WHERE township_id = :t"
            " AND state IN ('failed', 'expired') AND body <> '{}'",  # who was erased hears nothing more
        ):
            old = row["error"] in ("busy", "timed out")
            if row["state"] == "failed" and row["id"] not in self.platform.refused and not old:
                found.append(f"message {row['id']} failed: {row['error']}")
            if row["state"] == "expired" and row["expires_ms"] is None and not self._is_superseded(row):
                found.append(f"message {row['id']} expired without a date")
        return found


def ledger(connection: Connection, township_id: int) -> list[str]:
    """Balanced, derived again, nobody below zero, one input a key."""
    derived: dict[tuple[str, str], int] = {}
    keys: set[str] = set()
    found = []
    for row in connection.execute(
        "SELECT source, destination, unit, amount, transfer_key FROM transfers WHERE township_id = ?", (township_id,)
    ):
        for account, change in ((row["source"], -row["amount"]), (row["destination"], row["amount"])):
            derived[account, row["unit"]] = derived.get((account, row["unit"]), 0) + change
        if row["transfer_key"] in keys:
            found.append(f"transfer key {row['transfer_key']} twice")
        keys.add(row["transfer_key"])
    stored = {
        (row[0], row[1]): row[2]
        for row in connection.execute(
            "SELECT account, unit, balance FROM balances WHERE township_id = ?", (township_id,)
        )
    }
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
