"""`/looks`, «谁看过举报人»: every request, look and refused try, for the auditor."""

from __future__ import annotations

from bot.talk.messages import Button, Say, Words, on_lines, text
from handlers import takes
from handlers.disclosure.looking import reason_said
from handlers.people.actions import called, private
from handlers.people.rules import may
from handlers.world import Turn
from storage.people import people
from storage.security import reporter_looks
from storage.security.reporter_looks import Look

PAGE, PAGES = 15, 40


async def looks(turn: Turn, args: str) -> None:
    """`/looks [PAGE]`: the newest first, of the areas that the person looks after; never who reported."""
    private(turn)
    places = turn.world.places
    area_ids = [one for one in places.areas if may(turn.person.roles, "see_looks", one, places.covers)]
    said = args.strip()
    page = min(max(int(said), 1), PAGES) if takes.a_count(turn, said) else 1
    found = (await reporter_looks.newest(turn.tx, area_ids, limit=page * PAGE + 1))[(page - 1) * PAGE :]
    if not found:
        turn.reply(text("looks.none"))
        return
    lines: list[Words] = [text("looks.head"), *[await _line(turn, one) for one in found[:PAGE]]]
    more = Button(text("looks.more"), f"/looks {page + 1}") if len(found) > PAGE else None
    turn.reply(Say(on_lines(lines), ((more,),) if more else ()))


async def _line(turn: Turn, look: Look) -> Words:
    row = await people.person(turn.tx, look.person_id) if look.person_id is not None else None
    why = text(f"looks.refused.{look.why}") if look.event == "refused" else reason_said(look)
    name = called(row["name"]) if row is not None else text("looks.nobody")
    return text(f"looks.{look.event}", at_ms=look.at_ms, name=name, number=look.number, why=why)
