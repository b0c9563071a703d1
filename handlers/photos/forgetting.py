"""Erasing photos: whose they are, where they were taken, and after a time they themselves (PIPL 19, 47)."""

from __future__ import annotations

from bot.talk.spans import DAY_MS
from handlers.declared import Leaver, Portion
from handlers.world import Desk
from storage.people import retention
from storage.photos import following, owners
from storage.vault import keys
from storage.vault.sealing import day_of
from storage.vault.vault import Purpose

FILES = "media.erase"
BATCH_PHOTOS = 60
SPARE_DAYS = 2  # a file may be stored the day before its row is written


async def of_person(desk: Desk, leaver: Leaver) -> None:
    """Unlink somebody who leaves from their photos; what a case needs as evidence stays, without an owner. It does not
    need the originals, which show more than anybody has to see: they go, files and all.
    """
    rows = await following.of_person(desk.tx, leaver.person_id)
    sha256s = await retention.erase_photos(desk.tx, rows)
    for at in range(0, len(sha256s), BATCH_PHOTOS):
        key = f"{FILES}:left:{desk.ids.next()}"
        desk.later(FILES, key, desk.now_ms, sha256s=sha256s[at : at + BATCH_PHOTOS])
    await owners.forget(desk.tx, leaver.person_id, leaver.addresses)


async def places(desk: Desk, portion: Portion) -> bool:
    """Erase where and when photos were taken that are older than the policy keeps that."""
    before_ms = desk.now_ms - desk.world.policy.retention.position_days * DAY_MS
    return await retention.erase_photo_places(desk.tx, before_ms=before_ms, limit=portion.rows) == portion.rows


async def photos(desk: Desk, portion: Portion) -> bool:
    """Mark old photos as erased; an errand removes the files, which a transaction can't touch, and the keys that they
    are sealed under go with the last of a day.
    """
    before_ms = desk.now_ms - desk.world.policy.retention.photo_days * DAY_MS
    count, sha256s = await retention.erase_media(desk.tx, before_ms=before_ms, limit=BATCH_PHOTOS)
    if sha256s:
        desk.later(FILES, f"{FILES}:{portion.day}:{portion.number}", desk.now_ms, sha256s=sha256s)
    if count == BATCH_PHOTOS:
        return True
    await keys.erase_keys(desk.tx, Purpose.PHOTOS, before_day=day_of(Purpose.PHOTOS, before_ms) - SPARE_DAYS)
    return False
