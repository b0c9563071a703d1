"""`/todo`: what waits for the person, each kind with its count, the urgent and the late first."""

from __future__ import annotations

from bot.talk.messages import Words, text
from bot.talk.spans import DAY_MS
from handlers.declared import Backlog, Pending, Selection, Wait
from handlers.people.actions import area_name, private
from handlers.todo.rules import Pile, Thing, compose, compose_list
from handlers.waiting import areas_of, waiting_for
from handlers.world import Turn

LISTED = 10
LOOKED_AT = 200


def names_a_wait(turn: Turn, rest: str) -> bool:
    """Whether words name one kind of what waits."""
    return rest in turn.world.declared.waits


async def todo(turn: Turn, args: str) -> None:
    """`/todo`; `/todo film` lists what waits of one kind."""
    private(turn)
    waits = turn.world.declared.waits
    counts = await waiting_for(turn, turn.person.roles)
    wanted = args.strip()
    if wanted in waits:
        pile = await _pile(turn, waits[wanted], counts.get(wanted, Backlog()))
        turn.reply(compose_list(pile, LISTED) if pile.all else compose([]))
    else:
        turn.reply(compose([await _pile(turn, waits[name], count) for name, count in counts.items()]))


async def _pile(turn: Turn, wait: Wait, count: Backlog) -> Pile:
    """What waits of one kind in the person's areas."""
    theirs = areas_of(turn, turn.person.roles, wait, turn.world.places.areas)
    wanted = Selection(turn.now_ms - DAY_MS, turn.now_ms + 1, limit=LOOKED_AT, area_ids=theirs)
    rows = await wait.rows(turn.tx, wanted) if count.all else ()
    return Pile(wait.id, count.all, count.late, [_thing(turn, wait, row) for row in rows], wait.command)


def _thing(turn: Turn, wait: Wait, row: Pending) -> Thing:
    area = area_name(turn.world.places, row.area_id)
    kind: Words = text(f"{wait.kinds}{row.kind}") if wait.kinds else ""
    opens = f"{wait.opens} {row.number}" if wait.opens else ""
    due_ms = row.since_ms + DAY_MS if row.due_ms is None else row.due_ms
    return Thing(row.number, area, kind, row.since_ms, row.late, row.urgent, due_ms, opens)
