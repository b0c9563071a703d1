"""The laws of the simulator's own product, in one township."""

from __future__ import annotations

from typing import Any

from tests.sim.invariants import Connection

LAWS = {
    "{0} took effect {1} times": (
        "SELECT token, COUNT(*) FROM sim_effects WHERE township_id = :t GROUP BY person_id, token HAVING COUNT(*) > 1"
    ),
    "{0} was submitted by a button of review {1} after review {2} was shown": (
        "SELECT token, pressed, shown FROM sim_effects WHERE township_id = :t AND pressed < shown"
    ),
    "{0} was written though it failed": (
        "SELECT token FROM sim_effects WHERE township_id = :t AND how IN ('boom', 'refused')"
    ),
    "a point without a datum: {0}": (
        "SELECT lat FROM sim_effects WHERE township_id = :t AND lat IS NOT NULL AND datum IS NULL"
    ),
    "{0} ran {1} times": (
        "SELECT ref, COUNT(*) FROM transfers WHERE township_id = :t AND reason IN ('day', 'settle', 'shake', 'fetched')"
        " GROUP BY reason, ref HAVING COUNT(*) > 1"
    ),
}
RUNS = {"settle": "sim.settle", "shake": "sim.shaky", "day": "sim.daily", "fetched": "sim.fetch"}


def always(connection: Connection, township_id: int) -> list[str]:
    """Each token once and as last reviewed; each period once, each timer once."""
    at = {"t": township_id}
    found = []
    for words, sql in LAWS.items():
        found += [words.format(*row) for row in connection.execute(sql, at)]
    counted = _pairs(connection, "SELECT person_id, n FROM sim_counters WHERE township_id = :t", at)
    effects = _pairs(
        connection, "SELECT person_id, COUNT(*) FROM sim_effects WHERE township_id = :t GROUP BY person_id", at
    )
    if counted != effects:
        found.append(f"counters {counted} are not the effects {effects}")
    return found


def at_the_end(connection: Connection, township_id: int, tokens: set[str], said: set[str], now_ms: int) -> list[str]:
    """Every wish has its effect, its settled points and its timers; every period of the cadence ran."""
    at: dict[str, Any] = {"t": township_id, "now_ms": now_ms}
    effects = {row[0] for row in connection.execute("SELECT token FROM sim_effects WHERE township_id = :t", at)}
    found = []
    if tokens - effects:
        found.append(f"wished, and not there: {sorted(tokens - effects)}")
    if effects - tokens - said:
        found.append(f"there, and never said: {sorted(effects - tokens - said)}")
    for reason, kind in RUNS.items():
        ran = connection.execute(
            "SELECT COUNT(*) FROM transfers WHERE township_id = :t AND reason = :reason", {**at, "reason": reason}
        ).fetchone()[0]
        planned = connection.execute(
            "SELECT COUNT(*) FROM timers WHERE township_id = :t AND kind = :kind"
            " AND (fire_ms <= :now_ms OR state = 'done')",
            {**at, "kind": kind},
        ).fetchone()[0]
        if ran != planned:
            found.append(f"{planned} timers {kind}, {ran} ran")
    held = connection.execute(
        "SELECT account FROM balances WHERE township_id = :t AND account LIKE 'hold:%' AND balance <> 0", at
    ).fetchall()
    if held:
        found.append(f"still held: {[row[0] for row in held][:5]}")
    return found


def _pairs(connection: Connection, sql: str, at: dict[str, Any]) -> dict[int, int]:
    return {row[0]: row[1] for row in connection.execute(sql, at)}
