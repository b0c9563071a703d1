"""What somebody sees of their own rewards, below their points; and moving them to a household, when they say so."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import PersonError
from bot.talk.messages import Button, Say, Words, on_lines, text
from handlers.people.actions import private
from handlers.world import Turn
from storage.database import Row
from storage.people import claims, rewards
from storage.people.rewards import UNIT
from storage.product import accounts, case_vault, ledger

LOOKED_AT = 50
SHOWN = 10


async def reward_lines(turn: Turn) -> list[Words]:
    """The rewards of whoever asks: how much, what is not added up yet with its case, the months before."""
    account = await rewards.account_of(turn.tx, turn.person.id)
    balance = await ledger.balance(turn.tx, account, UNIT)
    fresh = []
    for case in await case_vault.rewarded(turn.tx, turn.person.id, limit=LOOKED_AT):
        points = await ledger.balance(turn.tx, accounts.granted(case["id"]), UNIT)
        if points and await _is_theirs(turn, case["id"]):
            fresh.append((case["number"], points))
    months = await rewards.entries(turn.tx, account, limit=SHOWN)
    if not fresh and not months:
        return []
    lines: list[Words] = [text("rewards.head", points=balance + sum(points for _, points in fresh))]
    lines += [text("rewards.case", number=number, points=points) for number, points in fresh]
    return [*lines, *(_month(row) for row in months)]


async def _is_theirs(turn: Turn, case_id: int) -> bool:
    """Whether a case's reward is theirs, and not its claimer's, or the household's for which they acted."""
    return (await case_vault.owners(turn.tx, [case_id]))[case_id] == (turn.person.id, None)


def _month(row: Row) -> Words:
    return text(
        "rewards.entry",
        at_ms=row["at_ms"],
        sign="+" if row["change"] > 0 else "−",
        amount=abs(row["change"]),
        reason=text(f"points.reason.{row['reason']}|points.reason.other"),
    )


async def move_buttons(turn: Turn) -> list[tuple[Button, ...]]:
    """A button for each household to which added-up rewards may go."""
    account = await rewards.account_of(turn.tx, turn.person.id)
    if not await ledger.balance(turn.tx, account, UNIT):
        return []
    return [
        (Button(text("rewards.move", name=link["householder"]), f"/rewards {link['household_id']}"),)
        for link in await _households(turn)
    ]


async def _households(turn: Turn) -> Sequence[Row]:
    return await claims.links_of_person(turn.tx, turn.person.id)


async def move(turn: Turn, args: str) -> None:
    """`/rewards`: one's own; `/rewards HOUSEHOLD [yes]`: what was added up becomes the household's, for all to see."""
    private(turn)
    if not args.strip():
        lines = await reward_lines(turn)
        turn.reply(Say(on_lines(lines) if lines else text("rewards.none"), tuple(await move_buttons(turn))))
        return
    said, _, answer = args.strip().partition(" ")
    link = next((one for one in await _households(turn) if str(one["household_id"]) == said), None)
    account = await rewards.account_of(turn.tx, turn.person.id)
    points = await ledger.balance(turn.tx, account, UNIT)
    if link is None or not points:
        raise PersonError("rewards_nothing")
    name = link["householder"]
    if answer.strip() != "yes":
        sure = Button(text("rewards.move", name=name), f"/rewards {said} yes", "primary")
        turn.reply(Say(text("rewards.move.ask", name=name, points=points), ((sure,),)))
        return
    await ledger.transfer(
        turn.tx,
        ledger.Transfer(
            id=(row_id := turn.ids.next()),
            source=account,
            destination=accounts.of_household(link["household_id"]),
            amount=points,
            unit=UNIT,
            key=f"reward_moved:{row_id}",
            reason="reward_moved",
            ref="",
            policy_version=turn.world.current.version,
            at_ms=turn.now_ms,
        ),
    )
    turn.reply(text("rewards.moved", name=name, points=points))
