"""«绑定我家» and «代家里老人办»: who belongs to a household or acts for it, confirmed by somebody in charge there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Form, Found, Option
from bot.talk.letters import search_key
from bot.talk.messages import Button, Say, text
from bot.turn import Dispatch
from handlers.areas.actions import find_households, says_whole
from handlers.areas.index import Gazetteer
from handlers.declared import Pending
from handlers.households.beneficiary import acting_for, label
from handlers.households.reporting import REPORT_FORM, begun
from handlers.people.actions import area_name, called, keeper, private
from handlers.people.charge import check_area, in_charge, villages_of, when_awake
from handlers.people.rules import may
from handlers.todo.bundling import tell_of_waiting
from handlers.world import Turn
from storage.people import claims, households, people
from storage.people.claims import links_of_person
from storage.people.households import HouseholdFound

RIGHT = "confirm_household"
PENDING_LARGEST = 3
CLAIMS_SHOWN = 10
MIN_NAME_CHARS = 2


async def find_own(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """Households by card number or by a full name, with the place only: nobody can leaf through the register."""
    places = turn.world.places
    found = await find_households(turn.tx, places, said, tails_in=villages_of(turn))
    whole = search_key(said)
    exact = [one for one in found if says_whole(one, said) or _says(whole, one.matched)]
    return [Option(str(one.household_id), _place_label(places, one)) for one in exact]


def _says(whole: str, matched: str) -> bool:
    return len(matched) >= MIN_NAME_CHARS and search_key(matched) in whole


def _place_label(places: Gazetteer, found: HouseholdFound) -> str:
    who = found.householder if found.matched in (found.householder, found.card_no) else found.matched
    return f"{who} · {area_name(places, found.area_id)}"


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Write the claim and ask those in charge there; one for the same household waits only once."""
    household = await households.household(turn.tx, int(answers["household"]["id"]))
    if household is None:
        raise PersonError("household_gone", step="household")
    relation = str(answers["relation"])
    for link in await links_of_person(turn.tx, turn.person.id):
        if link["household_id"] == household.household_id and (link["relation"] == "proxy") == (relation == "proxy"):
            raise PersonError("household_yours")
    pending = await claims.pending_of(turn.tx, turn.person.id)
    if any(row["household_id"] == household.household_id for row in pending):
        raise PersonError("claim_waits")
    if len(pending) >= PENDING_LARGEST:
        raise PersonError("claims_many", max=PENDING_LARGEST)
    claim_id = turn.ids.next()
    await claims.add_claim(
        turn.tx,
        claim_id=claim_id,
        household_id=household.household_id,
        person_id=turn.person.id,
        relation=relation,
        now_ms=turn.now_ms,
    )
    asked = await _ask(turn, claim_id, household, relation)
    area = area_name(turn.world.places, household.area_id)
    key = "household.asked" if asked else "household.asked_nobody"
    turn.reply(text(key, householder=household.householder, area=area, keeper=keeper(turn)))


async def _ask(turn: Turn, claim_id: int, household: HouseholdFound, relation: str) -> int:
    """Ask everybody in charge of the household's area, at a decent hour; how many were asked."""
    say = _question(turn, claim_id, called(turn.person.name), household, relation)
    asked = await in_charge(turn, RIGHT, household.area_id, barred=(turn.person.id,))
    how = when_awake(turn, f"claim.{claim_id}")
    pending = Pending(household.area_id, turn.now_ms, household.card_no, "")
    return await tell_of_waiting(turn, [row["person_id"] for row in asked], "claims", pending, say, how)


def _question(turn: Turn, claim_id: int, name: Any, household: HouseholdFound, relation: str) -> Say:
    words = text(
        f"claim.{relation}",
        name=name,
        householder=household.householder,
        card_no=household.card_no,
        area=area_name(turn.world.places, household.area_id),
    )
    row = (
        Button(text("claim.yes"), f"/member {claim_id} yes", "primary"),
        Button(text("claim.no"), f"/member {claim_id} no", "danger"),
    )
    return Say(words, (row,))


async def waiting(turn: Turn, _: str) -> None:
    """`/claims`: the claims that wait in the person's area, with their buttons."""
    private(turn)
    covers = turn.world.places.covers
    rows = [row for row in await claims.all_pending(turn.tx) if may(turn.person.roles, RIGHT, row["area_id"], covers)]
    if not rows:
        turn.reply(text("claims.none"))
        return
    turn.reply(text("claims.some", count=len(rows), shown=min(len(rows), CLAIMS_SHOWN)))
    for row in rows[:CLAIMS_SHOWN]:
        household = await households.household(turn.tx, row["household_id"])
        claimant = await people.person(turn.tx, row["person_id"])
        if household is not None and claimant is not None:
            turn.reply(_question(turn, row["id"], called(claimant["name"]), household, row["relation"]))


async def member(turn: Turn, args: str) -> None:
    """`/member CLAIM yes|no`: decide a claim of one's own area, once, and never one's own."""
    private(turn)
    number, _, answer = args.partition(" ")
    row = await claims.claim(turn.tx, int(number)) if number.isascii() and number.isdigit() else None
    if row is None or answer not in ("yes", "no"):
        raise PersonError("claim_unknown")
    household = await households.household(turn.tx, row["household_id"])
    if household is None:
        raise PersonError("household_gone")
    check_area(turn, RIGHT, household.area_id)
    if row["person_id"] == turn.person.id:
        raise PersonError("own_claim")
    claimant = await people.person(turn.tx, row["person_id"])
    if row["state"] != "pending" or claimant is None or claimant["state"] != "active":
        by = await people.person(turn.tx, row["decided_by"]) if row["decided_by"] is not None else None
        state = row["state"] if row["state"] != "pending" else "withdrawn"
        turn.reply(text(f"claim.was_{state}", who=called(by["name"] if by is not None else "")))
        return
    await _decide(turn, row["id"], claimant["id"], household, row["relation"], answer == "yes")
    key = "claim.confirmed" if answer == "yes" else "claim.denied"
    turn.reply(text(key, name=called(claimant["name"]), householder=household.householder))


async def _decide(
    turn: Turn, claim_id: int, person_id: int, household: HouseholdFound, relation: Any, confirmed: bool
) -> None:
    state = "confirmed" if confirmed else "denied"
    await claims.decide(turn.tx, claim_id, state=state, decided_by=turn.person.id, now_ms=turn.now_ms)
    if confirmed:
        await households.link_person(
            turn.tx,
            link_id=turn.ids.next(),
            household_id=household.household_id,
            person_id=person_id,
            relation=relation,
            linked_by=turn.person.id,
            now_ms=turn.now_ms,
        )
    kind = "proxy" if relation == "proxy" else "own"
    said = text(
        f"household.{state}_{kind}" if confirmed else "household.denied",
        householder=household.householder,
        who=called(turn.person.name),
    )
    await turn.tell(person_id, Say(said), Dispatch(f"claim_decided.{claim_id}"))


async def proxy(turn: Turn, args: str) -> None:
    """`/proxy`: report for an elder whose household one was confirmed for, or ask to be."""
    private(turn)
    acting = await acting_for(turn.tx, turn.person.id)
    chosen = [row for row in acting if str(row["household_id"]) == args.strip()]
    if chosen:
        elder = {"id": args.strip(), "label": label(chosen[0])}
        turn.open(REPORT_FORM, **await begun(turn, beneficiary=elder))
        return
    if not acting or args.strip() == "new":
        turn.open("household", relation="proxy")
        return
    rows = [
        (Button(text("proxy.report", householder=row["householder"]), f"/proxy {row['household_id']}"),)
        for row in acting
    ]
    turn.reply(Say(text("proxy.whom"), (*rows, (Button(text("proxy.another"), "/proxy new"),))))


async def leave(turn: Turn, args: str) -> None:
    """`/unbind yes`: no longer belong to any household nor act for one; without the word it asks."""
    private(turn)
    links = await links_of_person(turn.tx, turn.person.id)
    if not links:
        turn.reply(text("unbind.none"))
        return
    if args.strip() != "yes":
        names = "、".join(dict.fromkeys(f"{row['householder']}家" for row in links))
        turn.reply(Say(text("unbind.ask", names=names), ((Button(text("unbind.yes"), "/unbind yes", "danger"),),)))
        return
    await households.unlink_person(turn.tx, turn.person.id, now_ms=turn.now_ms)
    turn.person = replace(turn.person, household_id=None)
    turn.reply(text("unbind.done"))


HOUSEHOLD = Form(
    "household",
    (
        Found(id="household", search=find_own),
        Choice(id="relation", options=("householder", "member", "proxy"), columns=1),
    ),
    submit,
)
