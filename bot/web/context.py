"""What every route of the web chat works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.channels.base import Accept
from bot.channels.webchat import WebChat
from bot.clock import Clock
from bot.i18n import Catalogues
from bot.media.stores import MediaStores
from bot.settings import Settings
from bot.troubles import Troubles
from bot.web.guard import Rate
from bot.web.visitors.doors import Doors
from bot.web.visitors.newcomers import Newcomers
from bot.web.visitors.towns import Towns
from storage.database import Database, Tx

POSTS_PER_MINUTE = 120
UPLOADS_PER_MINUTE = 60
ORIGINALS_PER_MINUTE = 12  # nobody waits for them
READS_PER_MINUTE = 240


ForPages = Callable[[Tx, int], Awaitable[Mapping[str, Any]]]  # (tx, now_ms) → what the product tells every page


MayUpload = Callable[[Tx, str, int], Awaitable[bool]]  # (tx, address, now_ms) → whether the product takes photos


# (tx, now_ms) → since when a photo must have come for its original to follow; None: none may
OriginalsSince = Callable[[Tx, int], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class Context:
    """The machine as the routes see it."""

    settings: Settings
    database: Database
    accept: Accept
    webchat: WebChat
    media: MediaStores
    catalogues: Catalogues
    clock: Clock
    towns: Towns
    doors: Doors
    newcomers: Newcomers
    for_pages: ForPages
    may_upload: MayUpload
    originals_since: OriginalsSince
    troubles: Troubles
    push_key: str = ""  # what browsers know our pushes by; "" where there are none
    posts: Rate = field(default_factory=lambda: Rate(POSTS_PER_MINUTE))
    uploads: Rate = field(default_factory=lambda: Rate(UPLOADS_PER_MINUTE))
    originals: Rate = field(default_factory=lambda: Rate(ORIGINALS_PER_MINUTE))
    reads: Rate = field(default_factory=lambda: Rate(READS_PER_MINUTE))
