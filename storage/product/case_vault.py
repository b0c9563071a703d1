"""Who reported (D47, PIPL): read only to tell the reporter, to pay them, and for those with the right to know.

Every function here says what it is for; nothing else in the program reads `case_reporters`. What is stored names
nobody: `sealed` opens with the vault's key only, and `reporter_key` stands for a person where their reports are
looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import index_of, index_of_words, seal, unsealed, with_value
from storage.vault.vault import Purpose

SHA256_CHARS = 64
KEYS = {"reporter_key": "sealed", "claimed_key": "claimed"}  # what stands for somebody, and who it is


async def _theirs(tx: Tx, person_id: int, column: str = "reporter_key") -> tuple[str, dict[str, Any]]:
    """A condition on `r`, and its parameters: the reports of a person, or by `claimed_key` whose code they brought."""
    return f"r.{column} = :{column}", {column: await _key_of(tx, person_id)}


async def _key_of(tx: Tx, person_id: int) -> int:
    return await index_of(tx, "reporter", person_id)


async def add_reporter(
    tx: Tx,
    *,
    case_id: int,
    person_id: int,
    anonymous: bool,
    household_id: int | None,
    points: int,
    received_ms: int,
) -> None:
    """Keep who reported a case. `household_id` is the household it was filed for by a proxy, if any."""
    await tx.run(
        "INSERT INTO case_reporters (township_id, case_id, reporter_key, sealed, anonymous, points, received_ms)"
        " VALUES (:t, :case_id, :reporter_key, :sealed, :anonymous, :points, :received_ms)",
        {
            "case_id": case_id,
            "reporter_key": await _key_of(tx, person_id),
            "sealed": await _sealed(tx, case_id, person_id, household_id, received_ms),
            "anonymous": int(anonymous),
            "points": points,
            "received_ms": received_ms,
        },
    )


async def _sealed(tx: Tx, case_id: int, person_id: int, household_id: int | None, received_ms: int) -> bytes:
    """Who reported a case; the case's id is sealed in, so that no row can be taken for another's."""
    return await seal(tx, Purpose.REPORTERS, received_ms, orjson.dumps([case_id, person_id, household_id]))


async def hand_over(tx: Tx, *, from_person: int, to_person: int) -> None:
    """What one person reported and claimed is found under the other's id from now on: they are one."""
    keys = {"from_key": await _key_of(tx, from_person), "to_key": await _key_of(tx, to_person)}
    for column in KEYS:
        await tx.run(
            f"UPDATE case_reporters SET {column} = :to_key WHERE township_id = :t AND {column} = :from_key", keys
        )


async def hand_over_earlier(tx: Tx) -> None:
    """The same for those who were joined by a version that looked for them under both ids."""
    rows = await tx.all("SELECT id, merged_into FROM people WHERE township_id = :t AND merged_into IS NOT NULL")
    for row in rows:
        await hand_over(tx, from_person=row["id"], to_person=row["merged_into"])


async def code_key(tx: Tx, code_hash: str) -> str:
    """What is kept of a claim code: nobody tries codes on it without the vault's key."""
    return await index_of_words(tx, "claim", code_hash)


async def seal_earlier(tx: Tx) -> None:
    """Seal who reported before there was a vault; all at once, for what is not sealed is not found."""
    rows = await tx.all(
        "SELECT case_id, person_id, household_id, received_ms FROM case_reporters"
        " WHERE township_id = :t AND person_id IS NOT NULL ORDER BY case_id"
    )
    sealed = [
        {
            "t": tx.township_id,
            "case_id": row["case_id"],
            "reporter_key": await _key_of(tx, row["person_id"]),
            "sealed": await _sealed(tx, row["case_id"], row["person_id"], row["household_id"], row["received_ms"]),
        }
        for row in rows
    ]
    await tx.many(
        "UPDATE case_reporters SET person_id = NULL, household_id = NULL, reporter_key = :reporter_key,"
        " sealed = :sealed WHERE township_id = :t AND case_id = :case_id",
        sealed,
    )
    hashed = await tx.all("SELECT id, claim_hash FROM cases WHERE township_id = :t AND claim_hash <> '' ORDER BY id")
    await tx.many(
        "UPDATE cases SET claim_hash = :claim_hash WHERE township_id = :t AND id = :id",
        [
            {"t": tx.township_id, "id": row["id"], "claim_hash": await code_key(tx, row["claim_hash"])}
            for row in hashed
            if len(row["claim_hash"]) == SHA256_CHARS
        ],
    )


async def _opened(tx: Tx, row: Row) -> tuple[int | None, int | None]:
    """The person and the household in a row of case_id and sealed; None when they were erased."""
    plain = await unsealed(tx, row["sealed"]) if row["sealed"] is not None else None
    if plain is None:
        return None, None
    case_id, person_id, household_id = orjson.loads(plain)
    if case_id != row["case_id"]:
        raise ValueError(f"what is sealed with case {row['case_id']} is of case {case_id}")
    return person_id, household_id


async def _person(tx: Tx, person_id: int) -> tuple[int, str]:
    """Under which id a person goes on, and their language."""
    row = await tx.one(
        "SELECT COALESCE(merged_into, id) AS id, language FROM people WHERE township_id = :t AND id = :person_id",
        {"person_id": person_id},
    )
    return (row["id"], row["language"]) if row is not None else (person_id, "")


async def note_claimer(tx: Tx, case_id: int, person_id: int) -> None:
    """Keep who brought the code of a case; sealed like its reporter, and erased with them."""
    row = await tx.one(
        "SELECT received_ms FROM case_reporters WHERE township_id = :t AND case_id = :case_id", {"case_id": case_id}
    )
    assert row is not None, "every case was reported"
    await tx.run(
        "UPDATE case_reporters SET claimed_key = :claimed_key, claimed = :claimed"
        " WHERE township_id = :t AND case_id = :case_id",
        {
            "case_id": case_id,
            "claimed_key": await _key_of(tx, person_id),
            "claimed": await _sealed(tx, case_id, person_id, None, row["received_ms"]),
        },
    )


async def owners(tx: Tx, case_ids: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    """Whose the rewards of cases are: case id → whoever brought the code, else the reporter (None: nobody is known any
    more), and the household for which they acted, if any.
    """
    if not case_ids:
        return {}
    names, params = in_list("c", case_ids)
    rows = await tx.all(
        "SELECT case_id, sealed, claimed FROM case_reporters WHERE township_id = :t"
        f" AND case_id IN ({names}) ORDER BY case_id",
        params,
    )
    found = {}
    for row in rows:
        claimed, _ = await _opened(tx, with_value(row, "sealed", row["claimed"]))
        person_id, household_id = (claimed, None) if claimed is not None else await _opened(tx, row)
        now = (await _person(tx, person_id))[0] if person_id is not None else None
        found[row["case_id"]] = now, household_id
    return found


async def rewarded(tx: Tx, person_id: int, *, limit: int) -> Sequence[Row]:
    """The newest cases that a person reported or whose code they brought: id, number."""
    theirs, params = await _theirs(tx, person_id)
    claimed, of_claims = await _theirs(tx, person_id, "claimed_key")
    return await tx.all(
        "SELECT c.id, c.number FROM cases c WHERE c.township_id = :t AND c.id IN"
        f" (SELECT r.case_id FROM case_reporters r WHERE r.township_id = :t AND {theirs}"
        f" UNION ALL SELECT r.case_id FROM case_reporters r WHERE r.township_id = :t AND {claimed})"
        " ORDER BY c.id DESC LIMIT :limit",
        {**params, **of_claims, "limit": limit},
    )


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reported a case: `person_id` and `language` None once erased; `household_id` the one acted for, if any."""

    person_id: int | None
    anonymous: bool
    household_id: int | None
    language: str | None


async def reporter(tx: Tx, case_id: int) -> Reporter | None:
    """Who reported a case."""
    row = await tx.one(
        "SELECT case_id, sealed, anonymous FROM case_reporters WHERE township_id = :t AND case_id = :case_id",
        {"case_id": case_id},
    )
    if row is None:
        return None
    person_id, household_id = await _opened(tx, row)
    if person_id is None:
        return Reporter(None, bool(row["anonymous"]), household_id, None)
    person_id, language = await _person(tx, person_id)
    return Reporter(person_id, bool(row["anonymous"]), household_id, language)


async def points_since(tx: Tx, person_id: int, since_ms: int) -> int:
    """Points promised to a reporter since a moment, whose reports were not refused."""
    theirs, params = await _theirs(tx, person_id)
    row = await tx.one(
        "SELECT COALESCE(SUM(r.points), 0) AS points FROM case_reporters r"
        f" WHERE r.township_id = :t AND {theirs} AND r.received_ms >= :since_ms AND r.points > 0"
        " AND (SELECT c.state FROM cases c WHERE c.township_id = :t AND c.id = r.case_id)"
        " NOT IN ('rejected', 'duplicate')",
        {"since_ms": since_ms, **params},
    )
    return int(row["points"]) if row else 0


async def is_reporter(tx: Tx, case_id: int, person_id: int) -> bool:
    """Whether that person reported a case."""
    theirs, params = await _theirs(tx, person_id)
    row = await tx.one(
        f"SELECT 1 FROM case_reporters r WHERE r.township_id = :t AND r.case_id = :case_id AND {theirs}",
        {"case_id": case_id, **params},
    )
    return row is not None


async def was_anonymous(tx: Tx, person_id: int) -> bool:
    """Whether a person's newest report is anonymous; False without any."""
    theirs, params = await _theirs(tx, person_id)
    row = await tx.one(
        f"SELECT r.anonymous FROM case_reporters r WHERE r.township_id = :t AND {theirs}"
        " ORDER BY r.case_id DESC LIMIT 1",
        params,
    )
    return row is not None and bool(row["anonymous"])


async def reports_of(tx: Tx, person_id: int, *, limit: int) -> Sequence[Row]:
    """A person's own reports, newest first.

    id, number, kind, state (as they know it), place, area_id, received_ms, points, claim_until_ms, anonymous.
    """
    theirs, params = await _theirs(tx, person_id)
    return await tx.all(
        "SELECT c.id, c.number, c.kind, CASE WHEN c.settles_ms IS NULL THEN c.state ELSE 'registered' END AS state,"
        " c.place, c.area_id, c.received_ms, c.points,"
        " c.claim_until_ms, mine.anonymous"
        " FROM (SELECT r.township_id, r.case_id, r.anonymous FROM case_reporters r"
        f" WHERE r.township_id = :t AND {theirs} ORDER BY r.case_id DESC LIMIT :limit) AS mine"
        " JOIN cases c ON c.township_id = mine.township_id AND c.id = mine.case_id ORDER BY mine.case_id DESC",
        {"limit": limit, **params},
    )


async def named_reports(tx: Tx, *, person_id: int | None = None, before_ms: int | None = None) -> Sequence[Row]:
    """Named reports whose points have not come to anybody: of a person, or received before a moment; oldest first.

    id, number, points, person_id, refused (0 or 1). Those that are undecided, or whose decision can still be taken
    back; of a person also those that were not found true and may be decided anew.
    """
    condition, params, states = "r.reporter_key IS NOT NULL", dict[str, Any](), "c.state = 'registered'"
    if person_id is not None:
        condition, params = await _theirs(tx, person_id)
        states = "c.state <> 'verified'"
    if before_ms is not None:
        condition, params = f"{condition} AND r.received_ms < :before_ms", {**params, "before_ms": before_ms}
    rows = await tx.all(
        "SELECT c.id, c.number, c.points, r.case_id, r.sealed, CASE WHEN c.state = 'registered'"
        " OR c.settles_ms IS NOT NULL THEN 0 ELSE 1 END AS refused FROM case_reporters r"
        " JOIN cases c ON c.township_id = r.township_id AND c.id = r.case_id"
        f" WHERE r.township_id = :t AND {condition} AND r.anonymous = 0 AND c.points > 0"
        f" AND ({states} OR c.settles_ms IS NOT NULL) ORDER BY c.id",
        params,
    )
    found = []
    for row in rows:
        one, _ = await _opened(tx, row)
        if one is not None:
            found.append(with_value(row, "person_id", (await _person(tx, one))[0]))
    return found


async def forget_reporter(tx: Tx, person_id: int) -> int:
    """Erase a person's identity from all their reports, and from what they claimed; how many reports there were."""
    theirs, params = await _theirs(tx, person_id)
    claimed, of_claims = await _theirs(tx, person_id, "claimed_key")
    await tx.run(
        f"UPDATE case_reporters AS r SET claimed_key = NULL, claimed = NULL WHERE r.township_id = :t AND {claimed}",
        of_claims,
    )
    return await tx.run(
        f"UPDATE case_reporters AS r SET reporter_key = NULL, sealed = NULL WHERE r.township_id = :t AND {theirs}",
        params,
    )


async def received_before(tx: Tx, before_ms: int) -> set[int]:
    """The cases whose reporters are to be forgotten (policy's retention): received before a moment."""
    found = set()
    for key in KEYS:
        rows = await tx.all(
            f"SELECT case_id FROM case_reporters WHERE township_id = :t AND {key} IS NOT NULL"
            " AND received_ms < :before_ms ORDER BY case_id",
            {"before_ms": before_ms},
        )
        found |= {row["case_id"] for row in rows}
    return found


async def forget_before(tx: Tx, before_ms: int) -> int:
    """Erase who reported and who claimed what was received before a moment (policy's retention); how many."""
    return sum(
        [
            await tx.run(
                f"UPDATE case_reporters SET {key} = NULL, {sealed} = NULL"
                f" WHERE township_id = :t AND {key} IS NOT NULL AND received_ms < :before_ms",
                {"before_ms": before_ms},
            )
            for key, sealed in KEYS.items()
        ]
    )
