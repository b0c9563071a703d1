"""The ways by which rows once led from a case to who reported it, each as a search for rows that still do."""

from __future__ import annotations

from collections.abc import Mapping

from storage.database import Tx
from storage.product import accounts
from storage.vault.sealing import MARK

DAY_MS = 86_400_000
SPARE_DAYS = 2  # what was kept long enough goes in the night that follows
_SEALED = (
    " AND EXISTS (SELECT 1 FROM case_reporters k WHERE k.township_id = :t"
    " AND (k.reporter_key IS NOT NULL OR k.claimed_key IS NOT NULL))"  # else the program has not yet sealed anything
)

# what leads from a case to somebody → how many rows do
JOINS: Mapping[str, str] = {
    "reporter": "SELECT COUNT(*) AS n FROM case_reporters r WHERE r.township_id = :t"
    f" AND (r.person_id IS NOT NULL OR r.household_id IS NOT NULL){_SEALED}",
    "message": "SELECT COUNT(*) AS n FROM outbox o WHERE o.township_id = :t AND o.person_id <> 0"
    f" AND (o.message_key LIKE 'case:%' OR o.card LIKE 'case:%'){_SEALED}",
    "photo": "SELECT COUNT(*) AS n FROM case_media c JOIN media m"
    " ON m.township_id = c.township_id AND m.id = c.media_id"
    " WHERE c.township_id = :t AND (EXISTS (SELECT 1 FROM people p WHERE p.township_id = :t AND p.id = m.person_id)"
    " OR EXISTS (SELECT 1 FROM contacts a WHERE a.township_id = :t AND a.address = m.owner_address))"
    f"{_SEALED}",
    "transfer": "SELECT COUNT(*) AS n FROM transfers x WHERE x.township_id = :t AND x.ref LIKE 'case:%'"
    f" AND (x.destination LIKE '{accounts.HOUSEHOLD}%' OR x.destination LIKE '{accounts.PERSON}%')"
    " AND x.at_ms > (SELECT MIN(w.fire_ms) FROM timers w WHERE w.township_id = :t AND w.timer_key = :set_apart)",
    "name": "SELECT COUNT(*) AS n FROM people p WHERE p.township_id = :t AND p.name <> ''"
    f" AND p.name NOT LIKE '{MARK}%'{_SEALED}",
    "home": "SELECT COUNT(*) AS n FROM household_members m JOIN people p ON p.township_id = m.township_id"
    f" AND p.id = m.person_id WHERE m.township_id = :t{_SEALED}",
    "timer": "SELECT COUNT(*) AS n FROM timers w WHERE w.township_id = :t AND w.payload LIKE '%\"case_id\"%'"
    " AND (w.payload LIKE '%\"person_id\"%' OR w.payload LIKE '%\"address\"%')",
    "term": "SELECT COUNT(*) AS n FROM case_reporters r WHERE r.township_id = :t"
    " AND (r.reporter_key IS NOT NULL OR r.claimed_key IS NOT NULL) AND r.received_ms + :kept_ms <"
    " (SELECT MAX(i.received_ms) FROM inbox i WHERE i.township_id = :t)",
    "look": "SELECT COUNT(*) AS n FROM reporter_looks l JOIN people p ON p.township_id = l.township_id"
    " AND p.id = l.actor_key WHERE l.township_id = :t",
}


async def leading_to_reporters(tx: Tx, *, kept_days: int, set_apart: str) -> Mapping[str, int]:
    """Count the rows that lead from a case to who reported it, by the way they do; only those of which there are some.

    `kept_days`: for how long it is kept who reported. `set_apart`: the key of the timer that took rewards of before
    out of people's and households' accounts; earlier transfers are history.
    """
    values: Mapping[str, Mapping[str, object]] = {
        "transfer": {"set_apart": set_apart},
        "term": {"kept_ms": (kept_days + SPARE_DAYS) * DAY_MS},
    }
    found = {}
    for way, sql in JOINS.items():
        row = await tx.one(sql, values.get(way, {}))
        if row is not None and row["n"]:
            found[way] = int(row["n"])
    return found
