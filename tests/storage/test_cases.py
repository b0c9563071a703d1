"""Cases, their figures and the vault, on a real database."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from handlers.cases import rules
from storage.database import Database, Refused, Tx
from storage.machine import media
from storage.numbers import next_number
from storage.people import people
from storage.people.merging import join_people
from storage.product import case_vault, cases, integrity, verdicts
from storage.product.cases import Case
from storage.security import claim_tries

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_800_000_000_000


def a_case(case_id: int, **other: Any) -> Case:
    lat, lng = other.get("lat", 35.66), other.get("lng", 104.75)
    values: dict[str, Any] = {
        "id": case_id,
        "number": f"2026-{case_id:04d}",
        "kind": "dumping",
        "area_id": 5,
        "place": "桥头",
        "landmark_id": None,
        "lat": lat,
        "lng": lng,
        "datum": None if lat is None else "WGS-84",
        "accuracy_m": None,
        "cell": None if lat is None else rules.cell_of(lat, lng),
        "statement": "",
        "urgent": False,
        "received_ms": NOW,
        "verify_due_ms": NOW + DAY,
        "late_ms": NOW + DAY,
        "maybe_duplicate_of": None,
        "points": 5,
        "policy_version": 1,
        "claim_salt": "s",
        "claim_hash": "h",
        **other,
    }
    return Case(**values)


async def add(tx: Tx, case_id: int, **other: Any) -> Case:
    await cases.add_case(tx, a_case(case_id, **other), event_id=case_id * 10)
    found = await cases.case(tx, case_id)
    assert found is not None
    return found


async def decide(tx: Tx, case_id: int, event: str, now_ms: int) -> bool:
    case = await cases.case(tx, case_id)
    assert case is not None
    return await verdicts.decide(
        tx,
        replace(case, state="registered"),
        event,
        event_id=case_id * 10 + 1,
        person_id=77,
        policy_version=1,
        now_ms=now_ms,
        reason="not_rubbish",
    )


async def test_numbers_grow_by_year(database: Database) -> None:
    async def work(tx: Tx) -> list[int]:
        return [await next_number(tx, "cases", year) for year in (2026, 2026, 2027, 2026)]

    assert await database.transaction(work) == [1, 2, 1, 3]
    assert await database.transaction(work, township_id=2) == [1, 2, 1, 3]


async def test_a_case_is_decided_once_and_every_state_has_its_event(database: Database) -> None:
    async def work(tx: Tx) -> tuple[bool, bool]:
        await add(tx, 1)
        return await decide(tx, 1, "verified", NOW + 1), await decide(tx, 1, "rejected", NOW + 2)

    assert await database.transaction(work) == (True, False)

    async def look(tx: Tx) -> tuple[Any, list[str], int]:
        case = await cases.case_of_number(tx, "2026-0001")
        assert case is not None
        events = [event["event"] for event in await cases.events(tx, 1)]
        return case.state, events, len(await integrity.without_event(tx))

    assert await database.read(look) == ("verified", ["registered", "verified"], 0)

    async def break_it(tx: Tx) -> list[str]:
        await tx.run("UPDATE cases SET state = 'closed' WHERE township_id = :t AND id = 1")
        return [row["number"] for row in await integrity.without_event(tx)]

    assert await database.transaction(break_it) == ["2026-0001"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM cases",
        "DELETE FROM case_events",
        "UPDATE case_events SET note = 'x'",
        "UPDATE cases SET state = 'forgotten'",
        "INSERT INTO cases SELECT * FROM cases",
    ],
)
async def test_nothing_is_deleted_or_rewritten(database: Database, statement: str) -> None:
    await database.transaction(lambda tx: add(tx, 1))
    with pytest.raises(Refused):
        await database.transaction(lambda tx: tx.run(statement))


async def test_the_first_report_nearby_is_found(database: Database) -> None:
    metre = 1 / rules.METRES_PER_DEGREE

    async def work(tx: Tx) -> list[int | None]:
        await add(tx, 1, lat=35.66 + 55 * metre)
        await add(tx, 2, lat=35.66 + 10 * metre, received_ms=NOW + 1)
        await add(tx, 3, lat=35.66 + 70 * metre, received_ms=NOW - HOUR)
        await add(tx, 4, kind="river", received_ms=NOW - HOUR)
        await add(tx, 5, received_ms=NOW - 80 * HOUR)
        await add(tx, 6, received_ms=NOW - 2 * HOUR)
        await decide(tx, 6, "rejected", NOW)
        await add(tx, 7, lat=None, lng=None)
        found: list[int | None] = []
        for cells in (rules.cells_near(35.66, 104.75, 60), ()):
            row = await cases.first_near(
                tx,
                "dumping",
                cells,
                since_ms=NOW - 72 * HOUR,
                lat=35.66,
                lng=104.75,
                reach=rules.degrees_for(60, 35.66),
            )
            found.append(row["id"] if row is not None else None)
        return found

    assert await database.transaction(work) == [1, 1]


async def test_figures_are_counted_by_area_and_period(database: Database) -> None:
    chance = random.Random(5)
    decisions = ("verified", "rejected", "duplicate")
    truth: dict[tuple[int, str], list[int]] = {}

    def note(area_id: int, event: str, points: int, at_ms: int) -> None:
        if NOW <= at_ms < NOW + DAY:
            count = truth.setdefault((area_id, event), [0, 0])
            count[0] += 1
            count[1] += points

    async def fill(tx: Tx) -> None:
        for case_id in range(1, 301):
            area_id, points = chance.randrange(5, 9), chance.randrange(0, 6)
            received_ms = NOW + chance.randrange(-DAY, 2 * DAY)
            await add(tx, case_id, area_id=area_id, points=points, received_ms=received_ms)
            note(area_id, "registered", points, received_ms)
            if chance.random() < 0.6:
                event, at_ms = chance.choice(decisions), received_ms + chance.randrange(0, DAY)
                await decide(tx, case_id, event, at_ms)
                note(area_id, event, points, at_ms)

    await database.transaction(fill)

    rows = await database.read(lambda tx: cases.events_by_area(tx, from_ms=NOW, until_ms=NOW + DAY))
    counted = {(area_id, event): count for (event, area_id), count in rows.items()}
    assert counted == {key: count for key, (count, _) in truth.items()}


async def test_a_past_day_waits_for_the_same_cases_again(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for case_id, received_ms in enumerate((NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY, NOW - HOUR), 1):
            await add(tx, case_id, received_ms=received_ms, late_ms=received_ms + DAY, area_id=4 + case_id % 2)
        await decide(tx, 2, "verified", NOW - HOUR)

    await database.transaction(fill)

    async def late(tx: Tx) -> list[Any]:
        choices: list[dict[str, Any]] = [
            {"until_ms": NOW + 1},
            {"until_ms": NOW - 2 * HOUR + 1},
            {"until_ms": NOW + 1, "limit": 1},
            {"until_ms": NOW + 1, "area_ids": [5]},
            {"until_ms": NOW + 1, "area_ids": []},
        ]
        rows = [await cases.waiting(tx, **{"limit": 10, "late_only": True, **choice}) for choice in choices]
        return [[case.id for case in found] for found in rows]

    async def counts(tx: Tx) -> list[dict[int, tuple[int, int]]]:
        return [await cases.waiting_by_area(tx, until_ms=at_ms + 1) for at_ms in (NOW, NOW - 2 * HOUR, NOW - 3 * DAY)]

    async def everything(tx: Tx) -> Any:
        every = [case.id for case in await cases.waiting(tx, until_ms=NOW + 1, limit=10)]
        return await late(tx), await counts(tx), every

    before = await database.read(everything)
    assert before == (
        [[1, 3], [1, 2], [1], [1, 3], []],
        [{4: (1, 0), 5: (2, 2)}, {4: (1, 1), 5: (2, 1)}, {5: (1, 0)}],
        [1, 3, 4],
    )
    await database.transaction(lambda tx: decide(tx, 1, "rejected", NOW + HOUR))
    assert await database.read(everything) == before
    assert (await database.read(lambda tx: cases.undecided(tx)))[0] == 2
    assert [case.id for case in (await database.read(lambda tx: cases.undecided(tx, area_ids=[4])))[1]] == [4]


PLANS = [
    (
        "SELECT area_id, event, COUNT(*), SUM(points) FROM case_events WHERE township_id = 1 AND at_ms >= 1"
        " AND at_ms < 2 GROUP BY area_id, event",
        "case_events_time",
    ),
    ("SELECT COUNT(*) FROM cases WHERE township_id = 1 AND decided_ms IS NULL AND late_ms <= 5", "cases_decided"),
    (
        "SELECT id FROM cases WHERE township_id = 1 AND decided_ms IS NULL AND late_ms > 0 AND area_id IN (5, 6)"
        " ORDER BY received_ms, id LIMIT 10",
        "cases_decided",
    ),
    ("SELECT COUNT(*) FROM cases WHERE township_id = 1 AND decided_ms > 5 AND late_ms <= 5", "cases_decided"),
    (
        "SELECT id FROM cases WHERE township_id = 1 AND kind = 'x' AND cell = 7 AND received_ms >= 5"
        " ORDER BY received_ms, id LIMIT 1",
        "cases_cell",
    ),
    (
        "SELECT SUM(points) FROM case_reporters WHERE township_id = 1 AND reporter_key = 4 AND received_ms >= 5"
        " AND points > 0",
        "case_reporters_key_points",
    ),
    ("SELECT id FROM cases WHERE township_id = 1 AND number = 'x'", "cases_number"),
]


@pytest.mark.parametrize(("sql", "index"), PLANS)
async def test_every_question_has_its_index(sqlite_database: Database, sql: str, index: str) -> None:
    rows = await sqlite_database.read(lambda tx: tx.all(f"EXPLAIN QUERY PLAN {sql}"))
    plan = " / ".join(row["detail"] for row in rows)
    assert f"INDEX {index} " in plan
    assert "SCAN" not in plan


async def reported(tx: Tx, case_id: int, person_id: int, **other: Any) -> None:
    await add(tx, case_id, **other)
    await case_vault.add_reporter(
        tx,
        case_id=case_id,
        person_id=person_id,
        anonymous=False,
        household_id=None,
        points=other.get("points", 5),
        received_ms=other.get("received_ms", NOW),
    )


async def test_what_a_person_may_still_earn_leaves_refused_reports_out(database: Database) -> None:
    async def work(tx: Tx) -> int:
        await reported(tx, 1, 40, received_ms=NOW - DAY)
        await reported(tx, 2, 40)
        await reported(tx, 3, 40, points=3)
        await reported(tx, 4, 40)
        await reported(tx, 5, 41)
        await decide(tx, 3, "verified", NOW)
        await decide(tx, 4, "rejected", NOW)
        return await case_vault.points_since(tx, 40, NOW)

    assert await database.transaction(work) == 8


async def test_joined_people_keep_their_reports(database: Database) -> None:
    async def work(tx: Tx) -> tuple[int, list[int], int | None]:
        for person_id in (40, 41):
            await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=NOW)
        await reported(tx, 1, 40)
        await reported(tx, 2, 41)
        await join_people(tx, from_person=40, to_person=41, now_ms=NOW)
        assert await case_vault.is_reporter(tx, 1, 41) and await case_vault.is_reporter(tx, 2, 41)
        row = await case_vault.reporter(tx, 1)
        assert row is not None
        mine = [one["id"] for one in await case_vault.reports_of(tx, 41, limit=10)]
        return await case_vault.points_since(tx, 41, NOW), mine, row.person_id

    assert await database.transaction(work) == (10, [2, 1], 41)


async def test_reports_of_people_joined_by_an_earlier_version_are_theirs(database: Database) -> None:
    """It kept the reports under the old id, and looked for both."""

    async def work(tx: Tx) -> tuple[list[int], bool, bool, int]:
        for person_id in (40, 41, 42):
            await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=NOW)
        await reported(tx, 1, 40)
        await reported(tx, 2, 42)
        await case_vault.note_claimer(tx, 2, 40)
        await tx.run("UPDATE people SET merged_into = 41, state = 'merged' WHERE township_id = :t AND id = 40")
        for _ in range(2):
            await case_vault.hand_over_earlier(tx)
        mine = [one["id"] for one in await case_vault.reports_of(tx, 41, limit=10)]
        named = await case_vault.is_reporter(tx, 1, 40), await case_vault.is_reporter(tx, 2, 42)
        return mine, *named, len(await case_vault.rewarded(tx, 41, limit=10))

    assert await database.transaction(work) == ([1], False, True, 2)


async def test_whether_the_last_report_was_anonymous(database: Database) -> None:
    async def work(tx: Tx) -> list[bool]:
        found = [await case_vault.was_anonymous(tx, 40)]
        for case_id, anonymous in ((1, True), (2, False)):
            await add(tx, case_id)
            await case_vault.add_reporter(
                tx,
                case_id=case_id,
                person_id=40,
                anonymous=anonymous,
                household_id=None,
                points=0,
                received_ms=NOW,
            )
            found.append(await case_vault.was_anonymous(tx, 40))
        return found

    assert await database.transaction(work) == [False, True, False]


async def test_an_identity_is_forgotten_and_the_case_stays(database: Database) -> None:
    async def work(tx: Tx) -> tuple[int, int, list[int | None]]:
        await people.add_person(tx, person_id=40, name="王", language="zh_CN", now_ms=NOW)
        await people.add_person(tx, person_id=41, name="李", language="zh_CN", now_ms=NOW)
        await reported(tx, 1, 40)
        await reported(tx, 2, 41, received_ms=NOW - 400 * DAY)
        await reported(tx, 3, 41)
        forgotten = await case_vault.forget_reporter(tx, 40), await case_vault.forget_before(tx, NOW - 365 * DAY)
        known = []
        for case_id in (1, 2, 3):
            row = await case_vault.reporter(tx, case_id)
            known.append(row.person_id if row is not None else None)
            assert await cases.case(tx, case_id) is not None
        return *forgotten, known

    assert await database.transaction(work) == (1, 1, [None, None, 41])


async def test_wrong_codes_are_counted_for_the_person_and_the_case(database: Database) -> None:
    async def work(tx: Tx) -> tuple[list[int], list[int]]:
        for at, (person_id, case_id) in enumerate([(1, 9), (1, None), (2, 9)]):
            await claim_tries.add(tx, try_id=at, person_id=person_id, case_id=case_id, now_ms=NOW + at)
        return (
            await claim_tries.of_person(tx, 1, since_ms=NOW),
            await claim_tries.of_case(tx, 9, since_ms=NOW + 1),
        )

    assert await database.transaction(work) == ([NOW, NOW + 1], [NOW + 2])


async def test_photos_keep_their_order(database: Database) -> None:
    async def work(tx: Tx) -> list[str]:
        await add(tx, 1)
        for media_id in ("c", "a", "b", "d"):
            await media.add(
                tx, media_id=media_id, channel="web", now_ms=NOW, state="erased" if media_id == "d" else "ready"
            )
        await cases.add_media(tx, 1, ["c", "a", "d", "b"])
        return await cases.media_of(tx, 1)

    assert await database.transaction(work) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("lat", "lng", "datum"),
    [(35.6, 104.7, None), (35.6, None, "WGS-84"), (None, None, "WGS-84"), (35.6, 104.7, "GCJ-02")],
)
async def test_a_point_is_whole_and_says_its_datum(
    database: Database, lat: float | None, lng: float | None, datum: str | None
) -> None:
    values = replace(a_case(1), lat=lat, lng=lng, datum=datum, cell=None)
    with pytest.raises(Refused, match=r"(?i)check"):
        await database.transaction(lambda tx: cases.add_case(tx, values, event_id=10))
