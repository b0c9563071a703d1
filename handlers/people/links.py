"""One person on several channels: a code from one chat, typed in the other, and a «that is me» in the first."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import PersonError
from bot.talk.messages import Button, Say, text
from bot.talk.spans import HOUR_MS, MINUTE_MS
from bot.turn import Dispatch, Intent
from handlers.people.actions import private
from handlers.people.joining import join
from handlers.people.rules import (
    LINK_CODE_DIGITS,
    WRONG_CODES_AN_HOUR,
    WRONG_CODES_IN_TOWN,
    grouped,
    invitation_state,
    read_code,
)
from handlers.world import Turn, World
from storage.database import Row, Tx
from storage.people import contact_events, invitations, people
from storage.product.integrity import Flaw, broken

DRAWS = 5


async def link(turn: Turn, args: str) -> None:
    """`/link` gives a code, `/link CODE` takes one from the other channel."""
    private(turn)
    if args.strip():
        await _take_code(turn, args)
    else:
        await _give_code(turn)


async def code_sent(turn: Turn) -> Intent | None:
    """Interpreter: the digits of a code sent by themselves, as the text beside the code asks for them."""
    said = turn.event.text if turn.event.kind == "text" else ""
    return Intent(command="link", args=said) if read_code(said) is not None else None


async def _give_code(turn: Turn) -> None:
    world = turn.world
    minutes = world.policy.invitations.link_code_valid_minutes
    await invitations.withdraw_codes(turn.tx, turn.person.id, now_ms=turn.now_ms)
    for _ in range(DRAWS):
        code = turn.dice.digits(LINK_CODE_DIGITS)
        if await invitations.add_invitation(
            turn.tx,
            invitation_id=turn.ids.next(),
            token_hash=invitations.hash_of(code),
            kind="link",
            person_id=turn.person.id,
            created_by=turn.person.id,
            now_ms=turn.now_ms,
            expires_ms=turn.now_ms + minutes * MINUTE_MS,
        ):
            turn.reply(text("link.code", digits=LINK_CODE_DIGITS, code=grouped(code), minutes=minutes))
            return
    raise PersonError("link_later")


async def _take_code(turn: Turn, args: str) -> None:
    """Ask the code's owner. A wrong code is noted (so nothing here may be undone by a PersonError)."""
    since_ms = turn.now_ms - HOUR_MS
    wrong = await invitations.wrong_codes(turn.tx, turn.person.id, since_ms=since_ms)
    if wrong >= WRONG_CODES_AN_HOUR:
        turn.reply(text("link.locked", max=WRONG_CODES_AN_HOUR))
        return
    code = read_code(args)
    if code is None:
        turn.reply(text("link.how", digits=LINK_CODE_DIGITS))
        return
    token_hash = invitations.hash_of(code)
    row = await invitations.invitation(turn.tx, token_hash)
    owner = await people.person(turn.tx, row["person_id"]) if row is not None and row["person_id"] else None
    if row is not None and owner is not None and owner["id"] == turn.person.id:
        turn.reply(text("link.same" if row["used_ms"] is None else "link.joined_already"))
    elif row is not None and row["asked_by"] == turn.person.id and _waits(row, turn.now_ms):
        turn.reply(text("link.asked"))
    elif not await _ask(turn, row, owner, token_hash):
        await _note_wrong(turn, wrong)


async def _ask(turn: Turn, row: Row | None, owner: Row | None, token_hash: str) -> bool:
    """Ask in the owner's chats whether it was them; False when the code is not good (any more)."""
    state = invitation_state(row, "link", turn.person.id, turn.now_ms)
    if row is None or state != "good" or owner is None or owner["state"] != "active":
        return False
    if not await invitations.ask_to_join(turn.tx, token_hash, asked_by=turn.person.id, now_ms=turn.now_ms):
        return False
    buttons = tuple(Button(text(f"link.{word}"), f"/joining {row['id']} {word}") for word in ("yes", "no"))
    question = Say(text("link.confirm", channel=text(f"channel.{turn.person.channel}")), (buttons,))
    await turn.tell(owner["id"], question, Dispatch(f"joining.{row['id']}", urgent=True))
    turn.reply(text("link.asked"))
    return True


async def _note_wrong(turn: Turn, wrong: int) -> None:
    """Count it; when the whole township is being guessed at, no code that waits is good any more."""
    await invitations.add_wrong_code(turn.tx, row_id=turn.ids.next(), person_id=turn.person.id, now_ms=turn.now_ms)
    newest = await invitations.newest_wrong_codes(turn.tx, limit=WRONG_CODES_IN_TOWN)
    if _guessed_at(newest) and newest[-1] > turn.now_ms - HOUR_MS:
        await invitations.withdraw_all_codes(turn.tx, now_ms=turn.now_ms)
    turn.reply(text("link.wrong", left=WRONG_CODES_AN_HOUR - wrong - 1))


def _guessed_at(newest: Sequence[int]) -> bool:
    return len(newest) == WRONG_CODES_IN_TOWN and newest[0] - newest[-1] < HOUR_MS


def _waits(row: Row, now_ms: int) -> bool:
    """Whether a code's owner may still say yes."""
    return row["used_ms"] is None and row["withdrawn_ms"] is None and now_ms < row["expires_ms"]


async def joining(turn: Turn, args: str) -> None:
    """`/joining ID yes|no`: the owner of a code says whether it was they who typed it elsewhere."""
    private(turn)
    number, _, answer = args.strip().partition(" ")
    row = await invitations.invitation_by_id(turn.tx, int(number)) if number.isdecimal() else None
    if row is None or row["kind"] != "link" or row["person_id"] != turn.person.id or row["asked_by"] is None:
        raise PersonError("joining_unknown")
    if not _waits(row, turn.now_ms):
        turn.reply(text("link.joined_already" if row["used_ms"] is not None else "link.over"))
        return
    asker = await people.person(turn.tx, row["asked_by"])
    channel = await _channel_of(turn, row["asked_by"])
    if answer.strip() == "yes" and asker is not None and asker["state"] == "active":
        await _join(turn, row, asker, channel)
    else:
        await invitations.withdraw(turn.tx, row["id"], now_ms=turn.now_ms)
        await _note(turn, channel, "refused")
        await turn.tell(
            row["asked_by"], Say(text("link.refused")), Dispatch(f"joining_refused.{row['id']}", urgent=True)
        )
        turn.reply(text("link.not_joined"))


async def _channel_of(turn: Turn, person_id: int) -> str:
    contacts = await people.contacts_of(turn.tx, person_id)
    return contacts[0]["channel"] if contacts else ""


async def _join(turn: Turn, row: Row, asker: Row, channel: str) -> None:
    me = await people.person(turn.tx, turn.person.id)
    assert me is not None
    others = await people.contacts_of(turn.tx, asker["id"])
    await invitations.use_invitation(turn.tx, row["token_hash"], used_by=asker["id"], now_ms=turn.now_ms)
    kept = await join(turn, me, asker)
    await _note(turn, channel, "joined")
    turn.reply(text("link.told"))
    told = turn.catalogues[asker["language"]].out(
        Say(text("link.joined", name=turn.person.name or text("person.nameless")))
    )
    for contact in others:
        turn.post(kept["id"], contact["channel"], contact["address"], told, Dispatch(urgent=True))


async def _note(turn: Turn, channel: str, event: str) -> None:
    await contact_events.add(
        turn.tx, row_id=turn.ids.next(), person_id=turn.person.id, channel=channel, event=event, now_ms=turn.now_ms
    )


async def codes_guessed(tx: Tx, _: World) -> list[Flaw]:
    """Look for an hour in which so many wrong codes were typed that somebody was guessing."""
    newest = await invitations.newest_wrong_codes(tx, limit=WRONG_CODES_IN_TOWN)
    return [broken("codes_guessed", count=WRONG_CODES_IN_TOWN)] if _guessed_at(newest) else []
