"""«我的积分» and «我的补贴»: what there is, what is still pending, and every entry with its reason (D13, D51).

The two funds of the subsidy stay apart. Who reported what is nobody else's business: nothing of a reward is in a
household's statement, and nobody but the reporter sees theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.errors import PersonError
from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.talk.spans import YEAR_MS
from handlers import takes
from handlers.areas.actions import find_households
from handlers.people.actions import private
from handlers.people.charge import villages_of
from handlers.people.rules import may, roles_with
from handlers.points import rules
from handlers.points.rules import Wanted
from handlers.rewards.statement import move_buttons, reward_lines
from handlers.world import Turn
from storage.database import Row
from storage.people import claims, households
from storage.people.households import HouseholdFound
from storage.product import accounts, case_vault, film, ledger

PAGE = 10
REPORTS_LOOKED_AT = 50
TICKETS_LOOKED_AT = 50
FUNDS = ("county", "township")
Unit = Literal["points", "fen"]
COMMANDS: dict[Unit, str] = {"points": "points", "fen": "subsidy"}


@dataclass(frozen=True, slots=True)
class Account:
    """Whose statement it is: its ledger accounts, its household if any, and whether it is the asker's own."""

    accounts: tuple[str, ...]
    household: HouseholdFound | None
    own: bool


async def points(turn: Turn, args: str) -> None:
    """`/points`, `/points 张三`, `/points h:… ~…`."""
    private(turn)
    await _statement(turn, rules.read(args), "points")


async def subsidy(turn: Turn, args: str) -> None:
    """`/subsidy`, `/subsidy 张三`, `/subsidy h:… ~…`."""
    private(turn)
    await _statement(turn, rules.read(args), "fen")


def asks_about_others(turn: Turn, rest: str) -> bool:
    """Whether words behind the command are whose account staff look up; others have only their own."""
    return may(turn.person.roles, "see_ledger") and takes.a_name(turn, rest)


async def _statement(turn: Turn, wanted: Wanted, unit: Unit) -> None:
    if wanted.said:
        await _look_up(turn, wanted.said, unit)
        return
    account = await _own(turn) if wanted.household_id is None else await _of_household(turn, wanted.household_id)
    lines: list[Words] = []
    if wanted.before_id is None:
        lines += await (_points_head if unit == "points" else _subsidy_head)(turn, account)
        lines += await _pending(turn, account, unit)
    before_id = wanted.before_id if wanted.before_id is not None else 1 << 60
    rows = await ledger.entries_of(
        turn.tx, account.accounts, unit, limit=PAGE + 1, before_id=before_id, but_about="case"
    )
    lines += await _entries(turn, rows[:PAGE], unit)
    if account.own and unit == "points" and wanted.before_id is None:
        lines += await reward_lines(turn)
    turn.reply(Say(on_lines(lines), await _buttons(turn, account, rows, wanted, unit)))


async def _own(turn: Turn) -> Account:
    """The person's own account, and their household's."""
    person_id, household_id = turn.person.id, turn.person.household_id
    own = accounts.of_person(person_id)
    if household_id is None:
        return Account((own,), None, own=True)
    found = await households.household(turn.tx, household_id)
    return Account((own, accounts.of_household(household_id)), found, own=True)


async def _of_household(turn: Turn, household_id: int) -> Account:
    """A household's account, for those who belong to it or act for it, and those who may see the ledger there."""
    found = await households.household(turn.tx, household_id)
    if found is None:
        raise PersonError("points_no_household", said=f"#{household_id}")
    links = await claims.links_of_person(turn.tx, turn.person.id)
    if not any(row["household_id"] == household_id for row in links):
        _check_area(turn, found)
    return Account((accounts.of_household(household_id),), found, own=False)


def _check_area(turn: Turn, found: HouseholdFound) -> None:
    world = turn.world
    if not may(turn.person.roles, "see_ledger"):
        raise PersonError("no_right", who=text("right.see_ledger.who"))
    if not may(turn.person.roles, "see_ledger", found.village_id, world.places.covers):
        raise PersonError("points_other_area", name=found.householder, village=found.village)


async def _look_up(turn: Turn, said: str, unit: Unit) -> None:
    """Staff ask for a household by name or card."""
    world = turn.world
    if not may(turn.person.roles, "see_ledger"):
        raise PersonError("no_right", who=text("right.see_ledger.who"))
    areas = sorted(turn.person.areas(*roles_with("see_ledger")))
    village = next((one for area_id in areas if (one := world.places.village_of(area_id))), None)
    village_id = village.area_id if village else None
    tails_in = villages_of(turn, "see_ledger")
    found = await find_households(turn.tx, world.places, said, village_id=village_id, tails_in=tails_in)
    near = [one for one in found if may(turn.person.roles, "see_ledger", one.village_id, world.places.covers)]
    if not near and found:
        _check_area(turn, found[0])
    if not near:
        raise PersonError("points_no_household", said=said[:30])
    if len(near) == 1:
        await _statement(turn, Wanted(household_id=near[0].household_id), unit)
        return
    buttons = tuple(
        (
            Button(
                text(
                    "points.household", name=one.householder, village=one.village, hamlet=one.hamlet, card=one.card_no
                ),
                rules.write(COMMANDS[unit], one.household_id),
            ),
        )
        for one in near
    )
    turn.reply(Say(text("points.which", said=said[:30], count=len(near)), buttons, ask="choice"))


def _head(account: Account, key: str, **fields: object) -> Words:
    if account.household is None:
        return text(f"{key}.own", **fields)
    return text(key, name=account.household.householder, card=account.household.card_no[-4:], **fields)


async def _points_head(turn: Turn, account: Account) -> list[Words]:
    return [_head(account, "points.head", points=await _balance(turn, account, "points"))]


async def _subsidy_head(turn: Turn, account: Account) -> list[Words]:
    """The balance and what came from each fund, never mixed (D13)."""
    sources = [accounts.of_fund(fund) for fund in FUNDS]
    came = await ledger.received_from(turn.tx, account.accounts, sources, "fen")
    return [
        _head(account, "points.subsidy.head", amount_fen=await _balance(turn, account, "fen")),
        *(text(f"points.subsidy.{fund}", amount_fen=came.get(accounts.of_fund(fund), 0)) for fund in FUNDS),
    ]


async def _balance(turn: Turn, account: Account, unit: Unit) -> int:
    return sum([await ledger.balance(turn.tx, one, unit) for one in account.accounts])


async def _pending(turn: Turn, account: Account, unit: Unit) -> list[Words]:
    """What is promised but not theirs yet: tickets that wait for staff, and one's own reports."""
    found: list[Words] = []
    if account.household is not None:
        since_ms = turn.now_ms - YEAR_MS
        tickets = await film.of_household(
            turn.tx, account.household.household_id, since_ms=since_ms, limit=TICKETS_LOOKED_AT
        )
        found += [
            text(
                f"points.pending.ticket.{unit}",
                number=ticket.number,
                points=ticket.points,
                county_fen=ticket.county_fen,
                township_fen=ticket.township_fen,
            )
            for ticket in tickets
            if ticket.state == "held"
        ]
    if account.own and unit == "points":
        for report in await case_vault.reports_of(turn.tx, turn.person.id, limit=REPORTS_LOOKED_AT):
            held = await ledger.balance(turn.tx, accounts.held(report["id"]), "points")
            if held:
                found.append(text("points.pending.case", number=report["number"], points=held))
            waits = await ledger.balance(turn.tx, accounts.claimable(report["id"]), "points")
            if waits:
                until_ms = report["claim_until_ms"]
                found.append(text("points.pending.claim", number=report["number"], points=waits, until_ms=until_ms))
    return found


async def _entries(turn: Turn, rows: Sequence[Row], unit: Unit) -> list[Words]:
    if not rows:
        return [text(f"points.none.{unit}")]
    tickets = [int(row["ref"].partition(":")[2]) for row in rows if row["ref"].startswith("ticket:")]
    numbers = {f"ticket:{one}": number for one, number in (await film.numbers(turn.tx, tickets)).items()}
    return [entry_line(row, numbers.get(row["ref"], ""), unit) for row in rows]


def entry_line(row: Row, number: str, unit: Unit) -> Words:
    """One line: day, change, why, what about."""
    reason = row["reason"]
    if reason == "film_reversed":
        reason += "." + row["destination"].partition(":")[2]
    key = f"points.entry.{unit}" + (".about" if number else "") + (".noted" if row["note"] else "")
    return text(
        key,
        at_ms=row["at_ms"],
        sign="+" if row["change"] > 0 else "−",
        amount=abs(row["change"]),
        reason=text(f"points.reason.{reason}|points.reason.other"),
        number=number,
        note=row["note"],
    )


async def _buttons(
    turn: Turn, account: Account, rows: Sequence[Row], wanted: Wanted, unit: Unit
) -> tuple[tuple[Button, ...], ...]:
    """More entries, the other statement, and the households that a person acts for."""
    household_id = wanted.household_id
    found: list[tuple[Button, ...]] = []
    if len(rows) > PAGE:
        data = rules.write(COMMANDS[unit], household_id, rows[PAGE - 1]["id"])
        found.append((Button(text("points.button.more"), data),))
    if wanted.before_id is None:
        other: Unit = "fen" if unit == "points" else "points"
        found.append((Button(text(f"points.button.{other}"), rules.write(COMMANDS[other], household_id)),))
    if account.own and wanted.before_id is None:
        if unit == "points":
            found += await move_buttons(turn)
        for link in await claims.links_of_person(turn.tx, turn.person.id):
            if link["household_id"] != turn.person.household_id:
                label = text("points.button.household_of", name=link["householder"])
                found.append((Button(label, rules.write(COMMANDS[unit], link["household_id"])),))
        if turn.person.household_id is None:
            found.append((Button(text("points.button.join_household"), "/household"),))
    return tuple(found)
