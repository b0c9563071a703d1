"""The ledger and film tickets on a real database: laws under Hypothesis, and what `doctor` finds when it is broken."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.database import Database, Refused, Tx
from storage.numbers import next_number
from storage.product import film, film_figures, ledger
from storage.product.film import Ticket
from storage.product.integrity import Flaw, broken
from storage.product.ledger import LedgerError, Overdrawn, Transfer
from storage.product.versions import add_versions

NOW = 1_800_000_000_000
DAY = 86_400_000
SOURCES = ("fund:county", "fund:township", "programme:film")
HOLDERS = ("household:1", "household:2", "person:3", "hold:case:4")


class Undone(Exception):
    """Ends a transaction that must leave nothing."""


def a_transfer(number: int, **other: Any) -> Transfer:
    values: dict[str, Any] = {
        "id": number,
        "source": "fund:county",
        "destination": "household:1",
        "amount": 100,
        "unit": "fen",
        "key": f"k:{number}",
        "reason": "film_county",
        "ref": "ticket:1",
        "policy_version": 1,
        "at_ms": NOW + number,
    }
    return Transfer(**{**values, **other})


STEP = st.tuples(
    st.sampled_from(("move", "again", "reverse")),
    st.sampled_from((*SOURCES, *HOLDERS)),
    st.sampled_from(HOLDERS),
    st.integers(1, 500),
    st.sampled_from(ledger.UNITS),
    st.integers(0, 30),
)


async def _state(tx: Tx) -> dict[tuple[str, str], int]:
    rows = await tx.all("SELECT account, unit, balance FROM balances WHERE township_id = :t AND balance <> 0")
    return {(row["account"], row["unit"]): row["balance"] for row in rows}


class Model:
    """What balances should be, worked out in the plainest way."""

    def __init__(self) -> None:
        self.balances: dict[tuple[str, str], int] = {}
        self.done: dict[str, Transfer] = {}

    def move(self, one: Transfer) -> None:
        self.done[one.key] = one
        for account, change in ((one.source, -one.amount), (one.destination, one.amount)):
            self.balances[account, one.unit] = self.balances.get((account, one.unit), 0) + change

    def may(self, one: Transfer) -> bool:
        return one.source.startswith(ledger.SOURCES) or self.balances.get((one.source, one.unit), 0) >= one.amount

    async def check(self, wanted: Transfer, doing: Awaitable[bool]) -> None:
        """Do it, and see that it was done, was there already, or was refused for want of cover."""
        if wanted.key in self.done:
            assert await doing is False
        elif not self.may(wanted):
            with pytest.raises(Overdrawn):
                await doing
        else:
            assert await doing is True
            self.move(wanted)


@given(steps=st.lists(STEP, max_size=30))
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_whatever_is_moved_the_ledger_stays_whole(
    database: Database, steps: list[tuple[str, str, str, int, str, int]]
) -> None:
    """Against a plain model: sums to zero, nobody below zero, a key once, a reversal takes back exactly."""
    model = Model()

    async def play(tx: Tx) -> None:
        for number, (what, source, destination, amount, unit, pick) in enumerate(steps, 1):
            keys = sorted(model.done)
            wanted = a_transfer(number, source=source, destination=destination, amount=amount, unit=unit)
            if what != "move" and keys:
                wanted = model.done[keys[pick % len(keys)]]
            if wanted.source == wanted.destination:
                continue
            if what == "reverse" and keys:
                back = replace(
                    wanted, key=f"reverse:{wanted.key}", source=wanted.destination, destination=wanted.source
                )
                doing = ledger.reverse(
                    tx, wanted.key, id=number, reason="film_reversed", note="", at_ms=NOW, created_by=None
                )
                await model.check(back, doing)
            elif not (wanted.key in model.done and wanted.key.startswith("reverse:")):
                await model.check(wanted, ledger.transfer(tx, wanted))
        assert await _state(tx) == {key: value for key, value in model.balances.items() if value}
        assert await ledger.faults(tx) == []
        raise Undone

    with pytest.raises(Undone):
        await database.transaction(play)


async def test_the_same_key_with_other_input_is_loud(database: Database) -> None:
    async def work(tx: Tx) -> None:
        assert await ledger.transfer(tx, a_transfer(1)) is True
        assert await ledger.transfer(tx, a_transfer(2, key="k:1")) is False
        with pytest.raises(LedgerError):
            await ledger.transfer(tx, a_transfer(3, key="k:1", amount=101))
        assert await ledger.balance(tx, "household:1", "fen") == 100

    await database.transaction(work)


async def test_a_reversal_restores_every_balance_and_can_not_be_repeated(database: Database) -> None:
    async def back(tx: Tx) -> bool:
        return await ledger.reverse(tx, "k:2", id=9, reason="film_reversed", note="错了", at_ms=NOW, created_by=5)

    async def work(tx: Tx) -> None:
        await ledger.transfer(tx, a_transfer(1))
        before = await _state(tx)
        await ledger.transfer(tx, a_transfer(2, amount=77, unit="fen"))
        assert await back(tx) is True
        assert await _state(tx) == before
        assert await back(tx) is False
        assert await ledger.reverse(tx, "k:7", id=10, reason="r", note="", at_ms=NOW, created_by=None) is False
        newest = (await ledger.entries(tx, "household:1", "fen", limit=1))[0]
        assert (newest["change"], newest["note"], newest["ref"]) == (-77, "错了", "ticket:1")

    await database.transaction(work)


async def test_what_was_spent_can_not_be_taken_back(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await ledger.transfer(tx, a_transfer(1))
        await ledger.transfer(tx, a_transfer(2, source="household:1", destination="person:3", amount=60))
        with pytest.raises(Overdrawn) as problem:
            await ledger.reverse(tx, "k:1", id=3, reason="r", note="", at_ms=NOW, created_by=None)
        assert (problem.value.balance, problem.value.amount) == (40, 100)
        assert await ledger.balance(tx, "fund:county", "fen") == -100

    await database.transaction(work)


async def test_several_accounts_read_as_one_statement(database: Database) -> None:
    async def work(tx: Tx) -> None:
        for number in range(1, 26):
            account = "household:1" if number % 3 else "person:3"
            fund = "fund:county" if number % 2 else "fund:township"
            await ledger.transfer(tx, a_transfer(number, source=fund, destination=account, amount=number))
        await ledger.transfer(tx, a_transfer(26, source="household:1", destination="household:2", amount=5))
        mine = ("household:1", "person:3")
        seen, before_id = [], 1 << 60
        while page := await ledger.entries_of(tx, mine, "fen", limit=10, before_id=before_id):
            seen += [(row["id"], row["change"]) for row in page]
            before_id = page[-1]["id"]
        assert seen == [(26, -5), *((number, number) for number in range(25, 0, -1))]
        came = await ledger.received_from(tx, mine, ("fund:county", "fund:township"), "fen")
        assert came == {"fund:county": sum(range(1, 26, 2)), "fund:township": sum(range(2, 25, 2))}
        await ledger.reverse(tx, "k:25", id=30, reason="r", note="", at_ms=NOW, created_by=None)
        came = await ledger.received_from(tx, mine, ("fund:county", "fund:township"), "fen")
        assert came["fund:county"] == sum(range(1, 24, 2))

    await database.transaction(work)


@pytest.mark.parametrize("statement", ["UPDATE transfers SET amount = 1", "DELETE FROM transfers"])
async def test_transfers_are_never_changed_or_deleted(database: Database, statement: str) -> None:
    async def work(tx: Tx) -> None:
        await ledger.transfer(tx, a_transfer(1))
        await tx.run(statement)

    with pytest.raises(Refused, match="never"):
        await database.transaction(work)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "UPDATE balances SET balance = balance + 1 WHERE account = 'household:1'",
            broken("ledger_sum", unit="fen", left=1),
        ),
        (
            "DELETE FROM balances WHERE account = 'household:1'",
            broken("balance", account="household:1", unit="fen", balance=0, derived=100),
        ),
        (
            "UPDATE balances SET balance = -3, may_be_negative = 1 WHERE account = 'household:1'",
            broken("below_zero", account="household:1", unit="fen", balance=-3),
        ),
    ],
)
async def test_doctor_finds_a_broken_ledger(database: Database, damage: str, said: Flaw) -> None:
    async def work(tx: Tx) -> list[Flaw]:
        await ledger.transfer(tx, a_transfer(1))
        assert await ledger.faults(tx) == []
        await tx.run(damage)
        return await ledger.faults(tx)

    assert said in await database.transaction(work)


# film tickets


def a_ticket(number: int, **other: Any) -> Ticket:
    values: dict[str, Any] = {
        "id": number,
        "number": f"F2026-{number:05d}",
        "household_id": 1,
        "village_id": 10,
        "area_id": 11,
        "station_id": None,
        "operator_id": 5,
        "kind": "mulch",
        "gross_g": 16_000,
        "tare_g": 400,
        "net_g": 15_600,
        "impurity_bp": 0,
        "accepted_g": 15_600,
        "policy_version": 1,
        "county_rate_e4": 1_000_000,
        "township_rate_e4": 500_000,
        "points_rate_e4": 10_000,
        "county_left_fen": None,
        "township_left_fen": 10_000,
        "points_left": 500,
        "county_period": "",
        "township_period": "2026-01-01",
        "county_fen": 1_560,
        "township_fen": 780,
        "points": 15,
        "held_for": (),
        "photos": ("i1", "i2"),
        "corrects": None,
        "weighed_ms": NOW,
        "created_ms": NOW,
    }
    return Ticket(**{**values, **other})


async def put(tx: Tx, ticket: Ticket, *happened: tuple[film.EventKind, int]) -> None:
    await film.add_ticket(tx, ticket)
    for at, (kind, at_ms) in enumerate(happened):
        await film.add_event(tx, ticket, kind, id=ticket.id * 100 + at, at_ms=at_ms, by_person=5)


async def test_a_ticket_reads_back_with_its_state(database: Database) -> None:
    async def work(tx: Tx) -> None:
        ticket = a_ticket(1, held_for=("heavy", "other_area"), station_id=3)
        await put(tx, ticket, ("held", NOW), ("approved", NOW + 1))
        assert await film.ticket(tx, 1) == replace(ticket, state="approved")
        assert await film.ticket_by_number(tx, "F2026-00001") == replace(ticket, state="approved")
        assert await film.ticket(tx, 2) is None
        assert [row["kind"] for row in await film.events(tx, 1)] == ["held", "approved"]

    await database.transaction(work)


@pytest.mark.parametrize("table", ["film_tickets", "film_ticket_events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET points = 0", "DELETE FROM {}"])
async def test_tickets_and_events_are_only_added(database: Database, table: str, statement: str) -> None:
    async def work(tx: Tx) -> None:
        await put(tx, a_ticket(1), ("counted", NOW))
        await tx.run(statement.format(table))

    with pytest.raises(Refused, match="never"):
        await database.transaction(work)


async def test_figures_of_a_day_stay_what_they_were(database: Database) -> None:
    """What is taken back on Tuesday is Tuesday's: Monday run again gives Monday's figures."""

    async def work(tx: Tx) -> None:
        village = {"version": 1, "parent_id": None, "level": "village", "aliases": "", "boundary": None}
        point = {"lat": None, "lng": None, "datum": None}
        villages = [{**village, **point, "area_id": one, "code": f"c{one}", "name": f"村{one}"} for one in (10, 20)]
        await add_versions(tx, "areas", villages, now_ms=NOW)
        await put(tx, a_ticket(1), ("counted", NOW))
        await put(tx, a_ticket(2, village_id=20), ("counted", NOW))
        await put(tx, a_ticket(3, net_g=2_000_000, gross_g=2_000_400), ("held", NOW))
        both = await film_figures.by_village(tx, from_ms=NOW, until_ms=NOW + DAY)
        monday = both[10]
        assert both[20].tickets == 1
        assert (monday.tickets, monday.held, monday.accepted_g) == (1, 1, 15_600)
        assert (monday.county_fen, monday.township_fen, monday.points) == (1_560, 780, 15)
        first, third = await film.ticket(tx, 1), await film.ticket(tx, 3)
        assert first is not None
        assert third is not None
        tuesday_ms = NOW + DAY
        await film.add_event(tx, first, "objected", id=901, at_ms=tuesday_ms, by_person=6)
        await film.add_event(tx, first, "reversed", id=902, at_ms=tuesday_ms, by_person=7)
        await film.add_event(tx, third, "approved", id=903, at_ms=tuesday_ms, by_person=7)
        assert await film_figures.by_village(tx, from_ms=NOW, until_ms=NOW + DAY) == both
        tuesday = (await film_figures.by_village(tx, from_ms=tuesday_ms, until_ms=tuesday_ms + DAY))[10]
        assert (tuesday.tickets, tuesday.reversed_tickets, tuesday.objections) == (1, 1, 1)
        assert (tuesday.accepted_g, tuesday.points) == (0, 0)
        assert await film_figures.by_village(tx, from_ms=NOW - DAY, until_ms=NOW) == {}

    await database.transaction(work)


async def test_what_waits_is_listed_until_it_is_decided(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await put(tx, a_ticket(1), ("held", NOW))
        await put(tx, a_ticket(2), ("counted", NOW), ("objected", NOW + 5))
        await put(tx, a_ticket(3), ("held", NOW), ("refused", NOW + 10))

        async def at(until_ms: int, villages: set[int]) -> list[tuple[str, int]]:
            rows = await film_figures.waiting(tx, until_ms=until_ms, village_ids=villages, limit=10)
            return [(row["kind"], int(row["number"].rpartition("-")[2])) for row in rows]

        assert await at(NOW + 6, {10}) == [("held", 1), ("held", 3), ("objected", 2)]
        assert await at(NOW + 11, {10}) == [("held", 1), ("objected", 2)]
        assert await at(NOW + 11, {20}) == []
        late = await film_figures.waiting(tx, until_ms=NOW + 11, before_ms=NOW + 5, limit=10)
        assert [row["kind"] for row in late] == ["held"]
        assert await film_figures.waiting_by_village(tx, from_ms=NOW + 5, until_ms=NOW + 6) == {10: (3, 2)}
        assert await film_figures.waiting_by_village(tx, from_ms=NOW + 5, until_ms=NOW + 11) == {10: (2, 1)}

    await database.transaction(work)


async def test_void_tickets_leave_sums_and_caps(database: Database) -> None:
    async def work(tx: Tx) -> None:
        for number in (1, 2, 3):
            await put(tx, a_ticket(number, net_g=15_600 + number, tare_g=400 - number), ("counted", NOW))
            await film.spend(tx, "township", "2026-01-01", 780)
        assert await film.given(tx, 1, from_ms=NOW, until_ms=NOW + 1) == (46_800, 45)
        assert await film.spent_fen(tx, "township", "2026-01-01") == 2_340
        assert list(await film.broken_budgets(tx)) == []
        second = await film.ticket(tx, 2)
        assert second is not None
        await film.add_event(tx, second, "reversed", id=900, at_ms=NOW + 1, by_person=7)
        assert [row["derived_fen"] for row in await film.broken_budgets(tx)] == [1_560]
        await film.spend(tx, "township", "2026-01-01", -780)
        assert list(await film.broken_budgets(tx)) == []
        assert await film.given(tx, 1, from_ms=NOW, until_ms=NOW + 1) == (31_200, 30)
        same = {"household_id": 1, "operator_id": 5, "since_ms": NOW - 1}
        assert await film.same_again(tx, net_g=15_602, **same) is None
        again = await film.same_again(tx, net_g=15_603, **same)
        assert again is not None
        assert again.id == 3

    await database.transaction(work)


async def test_numbers_have_no_gap_when_a_transaction_fails(database: Database) -> None:
    async def fails(tx: Tx) -> None:
        await next_number(tx, "film", 2026)
        raise RuntimeError("power cut")

    assert await database.transaction(lambda tx: next_number(tx, "film", 2026)) == 1
    with pytest.raises(RuntimeError, match="power cut"):
        await database.transaction(fails)
    assert await database.transaction(lambda tx: next_number(tx, "film", 2026)) == 2
    assert await database.transaction(lambda tx: next_number(tx, "film", 2027)) == 1
