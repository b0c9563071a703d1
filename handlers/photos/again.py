"""The same picture in two cases: by its bytes, or by what it looks like after somebody's phone has packed it anew."""

from __future__ import annotations

from bot.talk.messages import Text, text
from bot.talk.spans import DAY_MS
from handlers.world import Desk
from storage.photos import compared

LOOK_BACK_MS = 90 * DAY_MS
NAMED = 3


async def sent_again(desk: Desk, case_id: int) -> list[Text]:
    """Name the other cases that have a photo of this one; a line each for the same file and the same picture."""
    same = [row["number"] for row in await compared.same_files(desk.tx, case_id)]
    own = await compared.likenesses(desk.tx, case_id)
    alike: list[str] = []
    if own:
        others = await compared.likenesses_elsewhere(desk.tx, case_id, since_ms=desk.now_ms - LOOK_BACK_MS)
        alike = [row["number"] for row in others if any(compared.looks_alike(row["likeness"], one) for one in own)]
    found = (("case.photo_same", same), ("case.photo_alike", [one for one in alike if one not in same]))
    return [text(key, numbers="、".join(list(dict.fromkeys(numbers))[:NAMED])) for key, numbers in found if numbers]
