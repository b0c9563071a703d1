"""When a month's rewards are added up, what stands out between verifiers and rewarded is counted, for the auditor.

The auditor learns of the month that is over how often, never in which case or who reported. Counted once and kept, for
a number that changed with each verdict would say whose the next one was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta

from bot.talk.messages import Button, Say, Words, on_lines, text
from handlers.people.actions import called, private
from handlers.people.charge import tell_each, when_awake
from handlers.people.rules import named_for
from handlers.rewards.rules import Pair, hints_of
from handlers.world import Desk, Turn
from storage.database import Row
from storage.people import people
from storage.security import reward_watch

RIGHT = "see_looks"
LINES = 30
Owners = Mapping[int, tuple[int | None, int | None]]


def month_before(month: str) -> str:
    """The month that is over when «2026-12» begins: «2026-11»."""
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"


async def count_hints(desk: Desk, owners: Owners, month: str) -> None:
    """Count what stands out among a month's rewarded cases, and tell the auditors if anything does.

    `owners`: case id → whose the reward is, and the household for which they acted.
    """
    policy = desk.world.policy.rewards
    hints = hints_of(
        await _pairs(desk, owners),
        least_cases=policy.hint_least_cases,
        least_times=policy.hint_least_times,
        often=policy.hint_often,
    )
    if not hints:
        return
    await reward_watch.add_hints(desk.tx, month, [asdict(one) for one in hints])
    lines: list[Words] = [text("pairs.news", month=month), *[await _line(desk, asdict(one)) for one in hints]]
    auditors = [row["person_id"] for row in await people.holders(desk.tx, sorted(named_for(RIGHT)))]
    say = Say(on_lines(lines), ((Button(text("pairs.button"), "/pairs"),),))
    await tell_each(desk, auditors, say, when_awake(desk, f"pairs:{month}"))


async def _pairs(desk: Desk, owners: Owners) -> list[Pair]:
    """Who verified and who is rewarded, case by case; whose reporter is known no more is in none."""
    found = []
    for case_id, verifier_id in (await reward_watch.verifiers_of(desk.tx, sorted(owners))).items():
        person_id, household_id = owners[case_id]
        if person_id is None:
            continue
        acted_for = frozenset(() if household_id is None else (household_id,))
        homes = await reward_watch.homes_of(desk.tx, person_id) | acted_for
        doors = await reward_watch.doors_of(desk.tx, person_id)
        found.append(
            Pair(
                verifier_id,
                person_id,
                same_household=bool(homes & await reward_watch.homes_of(desk.tx, verifier_id)),
                same_chat=bool(doors & await reward_watch.doors_of(desk.tx, verifier_id)),
            )
        )
    return found


async def _line(desk: Desk, hint: Mapping[str, object] | Row) -> Words:
    verifier = await people.person(desk.tx, int(str(hint["verifier_id"])))
    name = called(verifier["name"] if verifier is not None else "")
    return text(f"pairs.{hint['hint']}", name=name, times=hint["times"], of=hint["of_cases"])


async def pairs(turn: Turn, _: str) -> None:
    """`/pairs`: what stood out between verifiers and rewarded in the months that are over."""
    private(turn)
    found = await reward_watch.newest_hints(turn.tx, limit=LINES)
    if not found:
        turn.reply(text("pairs.none"))
        return
    lines: list[Words] = [text("pairs.head")]
    month = ""
    for row in found:
        if row["month"] != month:
            month = row["month"]
            lines.append(text("pairs.month", month=month))
        lines.append(await _line(turn, row))
    turn.reply(Say(on_lines(lines)))
