"""What is kept about oneself, and having it erased («删除我的信息», PIPL 15, 47)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from bot.talk.form import Form, YesNo
from bot.talk.messages import Text, on_lines, text
from bot.talk.spans import DAY_MS, HOUR_MS
from handlers.declared import Leaver
from handlers.people.actions import policy_text, private
from handlers.world import Desk, Turn
from storage.people import erasure, people

FORGET, SWEEP = "people.forget", "people.sweep"
AFTERWARDS_MS = HOUR_MS
# PIPL 19: whoever never answered the consent screen is not kept.
UNANSWERED_DAYS = 7
SWEEP_AT = time(3, 10)
SWEEP_LARGEST = 500


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Erase the person, if they mean it. What the ledgers need stays, without a name."""
    if not answers["sure"]:
        turn.reply(text("erase.kept"))
        return
    lines = await forget_everything(turn, turn.person.id, "withdrawn")
    turn.reply(on_lines([text("erase.done"), *lines]))
    turn.forget()


async def forget_everything(desk: Desk, person_id: int, answer: str = "") -> list[Text]:
    """Erase a person's name, contacts, conversation and words, and what each capability keeps about them.

    What it gives is for the farewell: only the one who leaves can know it from now on.
    The update being handled and the farewell are still to be written: a timer erases those an hour later.
    """
    tx, now_ms = desk.tx, desk.now_ms
    row = await people.person(tx, person_id)
    version = row["consent_version"] if row is not None else None
    if answer:
        asked = version if version is not None else desk.world.policy.consent.version
        await people.add_consent(
            tx, consent_id=desk.ids.next(), person_id=person_id, version=asked, answer=answer, now_ms=now_ms
        )
    contacts = await people.all_contacts_of(tx, person_id)
    addresses = [contact["address"] for contact in contacts]
    leaver = Leaver(person_id, addresses)
    farewell: list[Text] = []
    for forget in desk.world.declared.forgets:
        if forget.farewell is not None:
            farewell += await forget.farewell(desk, leaver)
        if forget.of_person is not None:
            await forget.of_person(desk, leaver)
    stranger_id = desk.ids.next()
    for address in addresses:
        if version is not None:  # who may have reported: nothing that was said leads to their household any more
            await erasure.hand_over(tx, address, stranger_id=stranger_id, now_ms=now_ms)
        await forget_address(desk, person_id, address)
    await erasure.forget_person(tx, person_id)
    return farewell


async def forget_address(desk: Desk, person_id: int, address: str) -> None:
    """Erase a contact of an erased person and its words; a timer does it again for what is still being written."""
    tx, now_ms = desk.tx, desk.now_ms
    pseudonym = f"erased:{desk.ids.next()}"
    await erasure.forget_contact(tx, address, pseudonym)
    await erasure.forget_words(tx, address, pseudonym, until_ms=now_ms)
    await erasure.forget_quota(tx, address)
    desk.later(
        FORGET,
        f"{FORGET}:{pseudonym}",
        now_ms + AFTERWARDS_MS,
        person_id=person_id,
        address=address,
        pseudonym=pseudonym,
        until_ms=now_ms,
    )


async def forget_rest(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: erase what was written while the person was being erased, and this timer's own payload."""
    pseudonym = payload["pseudonym"]
    await erasure.forget_words(desk.tx, payload["address"], pseudonym, until_ms=payload["until_ms"])
    await erasure.forget_keys(desk.tx, pseudonym)
    await erasure.forget_quota(desk.tx, payload["address"])
    await erasure.forget_person(desk.tx, payload["person_id"])
    await erasure.forget_timer(desk.tx, f"{FORGET}:{pseudonym}")


async def plan(desk: Desk) -> None:
    """Once a day, early in the morning, look for those who never answered the consent screen."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today, today + timedelta(days=1)):
        desk.later(SWEEP, f"{SWEEP}:{day.isoformat()}", world.moment_ms(day, SWEEP_AT))


async def sweep(desk: Desk, _: Mapping[str, Any]) -> None:
    """Timer: erase those who never agreed and have been silent for a week."""
    before_ms = desk.now_ms - UNANSWERED_DAYS * DAY_MS
    for row in await people.without_consent(desk.tx, before_ms=before_ms, limit=SWEEP_LARGEST):
        await forget_everything(desk, row["id"])


async def privacy(turn: Turn, _: str) -> None:
    """`/privacy`: the text that was agreed to, at any time."""
    private(turn)
    turn.reply(policy_text(turn, "consent.again"))


ERASE = Form("erase", (YesNo(id="sure"),), submit, review=False)
