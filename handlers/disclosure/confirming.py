"""The second person says whether somebody may see who reported."""

from __future__ import annotations

from bot.errors import PersonError
from bot.talk.messages import Button, Say, text
from handlers.disclosure.asking import CONFIRMS, card_of, note_refused, state, until_ms
from handlers.people.actions import called, private
from handlers.people.charge import when_awake
from handlers.people.rules import may
from handlers.undo import signed
from handlers.world import Turn
from storage.people import people
from storage.product import cases
from storage.security import reporter_looks

ANSWERS = {"yes": "confirmed", "no": "declined"}


async def disclosure(turn: Turn, args: str) -> None:
    """`/disclosure ID yes|no`: once for a request, in time, and never by who asked."""
    private(turn)
    said, _, answer = args.strip().partition(" ")
    entries = await reporter_looks.of_request(turn.tx, int(said)) if said.isascii() and said.isdigit() else ()
    event = ANSWERS.get(answer.strip())
    case = await cases.case(turn.tx, entries[0].case_id) if entries else None
    covers = turn.world.places.covers
    if case is None or event is None or not may(turn.person.roles, CONFIRMS, case.area_id, covers):
        raise PersonError("disclosure_unknown")
    asked = entries[0]
    asker = await people.person(turn.tx, asked.person_id) if asked.person_id is not None else None
    if asker is None or asker["id"] == turn.person.id:
        await note_refused(turn, case, "own_request")
        turn.reply(text("disclosure.own"))
        return
    if state(turn, entries) != "waits":
        turn.reply(text("disclosure.answered_before", number=case.number))
        return
    await reporter_looks.add(
        turn.tx,
        look_id=turn.ids.next(),
        request_id=asked.request_id,
        case_id=case.id,
        event=event,
        person_id=turn.person.id,
        why=asked.why,
        at_ms=turn.now_ms,
    )
    who, by = called(asker["name"]), called(turn.person.name)
    line = signed(text(f"disclosure.{event}", number=case.number, who=who), turn.person.name, turn.now_ms)
    turn.reply(Say(line, card=card_of(asked.request_id)))
    await turn.refresh(Say(line, card=card_of(asked.request_id)))
    until = until_ms(turn, await reporter_looks.of_request(turn.tx, asked.request_id))
    look = Button(text("case.see_reporter"), f"/reporter {case.number}", "primary")
    news = text(f"disclosure.{event}.news", number=case.number, by=by, until_ms=until)
    say = Say(news, ((look,),) if event == "confirmed" else ())
    await turn.tell(asker["id"], say, when_awake(turn, f"look:{asked.request_id}:{event}"))
