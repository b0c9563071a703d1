"""What `wechat menu` and `wechat qr` do. Part of the composition root: the menu and the codes are the product's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.channels.wechat.account import HELP, said_of, town_of
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.tokens import TokenTable
from bot.channels.wechat.wire import NEWS
from bot.clock import SystemClock
from bot.console.labels import List, Printed, picture, sheet
from bot.console.townships import opened
from bot.console.words import OperatorError, render, say
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.settings import Settings
from bot.talk.messages import text
from bot.web.wechat_page import PATH as PAGE_PATH
from handlers.areas.places import Area
from handlers.policy.menu import MenuEntry, MenuItem
from handlers.scenes.labels import labels
from handlers.world import World
from handlers.world_cache import Worlds
from storage.database import Database
from storage.machine import townships

MOST_CODES = 100_000  # permanent ones of one account, and so many calls a day
MANY_CODES = 90_000
PACE_S = 0.1
PAUSES_S = (1.0, 4.0)
LONGEST_MS = 5_000
SHEET = "index.html"
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WeChatAccount:
    """The Official Account and the township it belongs to."""

    api: WeChatApi
    database: Database
    township_id: int
    world: World


@asynccontextmanager
async def account(settings: Settings) -> AsyncIterator[WeChatAccount]:
    """The account of the settings. Raises OperatorError."""
    if not settings.wechat_app_id:
        raise OperatorError("no_account")
    async with opened(settings) as (database, _):
        known = await database.read(townships.every_name)
        if not known:
            raise OperatorError("nothing_imported")
        clock, township_id = SystemClock(), town_of(settings, known)
        worlds = Worlds(settings.zone, settings.address)
        world = await database.read(lambda tx: worlds.load(tx, clock.now_ms()), township_id=township_id)
        tokens = TokenTable(database, township_id)
        api = WeChatApi(settings.wechat_app_id, settings.wechat_app_secret, tokens, clock, settings.wechat_api_url)
        await api.start()
        try:
            yield WeChatAccount(api, database, township_id, world)
        finally:
            await api.stop()


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call WeChat, again after a short pause when it can't answer now. Raises OperatorError with what to do."""
    for pause_s in (*PAUSES_S, None):
        try:
            return await call()
        except RetryLater as error:
            if pause_s is None or error.after_ms > LONGEST_MS:
                later = said_of(error.reason) if error.reason in HELP else text("wechat.later", said=error.reason)
                raise OperatorError("wechat", said=render(later)) from None
            await asyncio.sleep(pause_s)
        except GiveUp as error:
            raise OperatorError("wechat", said=render(said_of(error.code))) from None
    raise AssertionError("unreachable")


# ── the menu


async def set_menu(settings: Settings, *, only_show: bool = False) -> tuple[list[str], str]:
    """The menu of the policy in force as lines, and what became of it. Raises OperatorError."""
    async with account(settings) as found:
        entries = found.world.policy.wechat_menu
        buttons = [button_of(entry, settings.public_url) for entry in entries]
        shown = [line for entry in entries for line in lines_of(entry)]
        if only_show:
            return shown, say("wechat.menu.only_shown")
        await patiently(lambda: found.api.create_menu(buttons))
        return shown, say("wechat.menu.set")


def button_of(entry: MenuItem, public_url: str) -> dict[str, Any]:
    """A button as WeChat takes it. Raises OperatorError for a page without an address."""
    if isinstance(entry, MenuEntry) and entry.items:
        return {"name": entry.name, "sub_button": [button_of(item, public_url) for item in entry.items]}
    if entry.camera:
        return {"type": "pic_photo_or_album", "name": entry.name, "key": "camera"}
    if entry.news:
        return {"type": "click", "name": entry.name, "key": NEWS}
    if not entry.page:
        return {"type": "click", "name": entry.name, "key": f"/{entry.command}"}
    if not public_url:
        raise OperatorError("menu_page", name=entry.name)
    return {"type": "view", "name": entry.name, "url": f"{public_url}{PAGE_PATH}"}


def lines_of(entry: MenuItem, before: str = "") -> list[str]:
    """An entry and what opens from it, a line each."""
    items = entry.items if isinstance(entry, MenuEntry) else ()
    does = "" if items else say(f"wechat.menu.{entry.does[0]}", command=entry.command)
    below = [line for item in items for line in lines_of(item, before + "  ")]
    return [f"{before}{entry.name}  {does}".rstrip(), *below]


# ── codes


@dataclass(frozen=True, slots=True)
class Made:
    """How many codes there are on the sheet, how many of them are new, and how many the list has in all."""

    count: int
    new: int
    listed: int


def make_codes(settings: Settings, kinds: Collection[str], village: str, folder: Path, progress: Progress) -> Made:
    """Pictures, a sheet and the list of codes, in a folder; what the list has is not asked for again.

    Raises OperatorError, also half way: then what was given is in the list, and the same command goes on.
    """
    town, wanted = asyncio.run(wanted_codes(settings, kinds, village))
    folder.mkdir(parents=True, exist_ok=True)
    listed = List(folder / f"codes-{settings.wechat_app_id}.csv")  # a code is its account's
    missing = [one for one in wanted if one.scene not in listed.urls]
    count = len(listed.urls) + len(missing)
    if count > MOST_CODES:
        raise OperatorError("too_many_codes", most=MOST_CODES, count=count)
    listed.begin({one.scene: one.name for one in wanted})
    if missing:
        asyncio.run(_ask(settings, missing, listed, progress))
    codes = [(one, listed.urls[one.scene]) for one in wanted]
    for at, (one, url) in enumerate(codes, start=1):
        (folder / one.file).write_bytes(picture(url))
        progress("pictures", at, len(codes))
    (folder / SHEET).write_text(sheet(town, codes), "utf-8")
    return Made(len(codes), len(missing), len(listed.urls))


async def wanted_codes(settings: Settings, kinds: Collection[str], village: str) -> tuple[str, Sequence[Printed]]:
    """The township's name, and the codes of these kinds with their words, of one village or of all.

    Raises OperatorError when there is none.
    """
    async with account(settings) as found:
        places = found.world.places
        area = _village(places.villages, village) if village else None
        rows = await found.database.read(lambda tx: labels(tx, places, kinds, area), township_id=found.township_id)
    if not rows:
        raise OperatorError("no_codes")
    render = Catalogues(settings.zone, settings.language)[settings.language].render
    return found.world.name, [
        Printed(one.scene, render(one.group), render(one.title), one.place, render(one.hint)) for one in rows
    ]


def _village(villages: Sequence[Area], said: str) -> Area:
    for one in villages:
        if said in (one.name, one.name.removesuffix("村"), one.code, *one.aliases):
            return one
    raise OperatorError("no_such_village", village=said)


async def _ask(settings: Settings, missing: Sequence[Printed], listed: List, progress: Progress) -> None:
    """Ask WeChat for codes, one after the other, and write each down at once."""
    async with account(settings) as found:
        for at, one in enumerate(missing, start=1):
            try:
                url = await patiently(lambda scene=one.scene: found.api.create_qr(scene))  # type: ignore[misc]
            except OperatorError as error:
                raise OperatorError("codes_so_far", said=error, done=at - 1, total=len(missing)) from None
            listed.add(one.scene, one.name, url)
            progress("codes", at, len(missing))
            await asyncio.sleep(PACE_S)
