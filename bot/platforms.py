"""The chat platforms of a deployment, put together from its settings: a part of the composition root (`bot.app`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from starlette.routing import Route

from bot.channels.base import Channel, Channels
from bot.channels.telegram.channel import Telegram
from bot.channels.webchat import WebChat
from bot.channels.wecom.robots import Robots
from bot.clock import Clock, Seams
from bot.i18n import Catalogues
from bot.media.stores import MediaStores
from bot.outgoing.shares import Outgoing
from bot.settings import Settings
from bot.talk.menu import NativeMenu
from bot.talk.messages import text
from bot.troubles import Troubles
from storage.database import Database
from storage.machine import townships
from storage.vault.pseudonyms import pseudonyms_of

if TYPE_CHECKING:  # loaded only where there is one
    from bot.channels.wechat.channel import WeChat
    from bot.push.telling import Telling


@dataclass(slots=True)
class Platforms:
    """Every channel there is, and what of them is more than a channel."""

    channels: Channels
    bots: dict[int, Telegram]
    wechat: WeChat | None = None

    @property
    def fetching(self) -> list[tuple[str, Channel]]:
        """The channels whose updates one worker must fetch, or whose account one worker must keep, by their names."""
        found: list[tuple[str, Channel]] = [(f"telegram {township_id}", bot) for township_id, bot in self.bots.items()]
        return [*found, (self.wechat.name, self.wechat)] if self.wechat is not None else found

    def routes(self) -> Sequence[Route]:
        """The webhooks."""
        every: list[Telegram | WeChat] = [*self.bots.values(), *([self.wechat] if self.wechat else [])]
        return [route for one in every for route in one.routes()]


async def make_platforms(
    settings: Settings,
    database: Database,
    media: MediaStores,
    seams: Seams,
    webchat: WebChat,
    robots: Robots,
    menus: Sequence[NativeMenu],
    troubles: Troubles,
) -> Platforms:
    """Make the web chat's, the bots' and the group robots' channels; `menus` are the bots' own."""
    bots = await make_bots(settings, database, seams.clock, media, menus, troubles)
    shared: list[Channel] = [webchat]
    if robots.keys:
        from bot.channels.wecom.channel import WeCom

        shared.append(WeCom(robots.keys, seams.clock, media.of, base_url=settings.wecom_api_url))
    return Platforms(Channels(shared, {township_id: [bot] for township_id, bot in bots.items()}), bots)


async def add_wechat(
    platforms: Platforms,
    settings: Settings,
    database: Database,
    media: MediaStores,
    catalogues: Catalogues,
    seams: Seams,
    outgoing: Outgoing,
    troubles: Troubles,
) -> WeChat | None:
    """The Official Account, a channel of its township; None when none is set. Raises UnknownTownship for a wrong code.

    Its modules are loaded only then: without WeChat and WeCom nobody needs aiohttp.
    """
    known = await database.read(townships.every_name)
    if not (settings.wechat_app_id and known):
        return None
    from bot.channels.wechat.account import town_of
    from bot.channels.wechat.api import WeChatApi
    from bot.channels.wechat.channel import WeChat
    from bot.channels.wechat.customer import CustomerMessages as WeChatOutgoing
    from bot.channels.wechat.customer import Notice
    from bot.channels.wechat.gate import Gate
    from bot.channels.wechat.replies import Replies
    from bot.channels.wechat.tokens import TokenTable

    town = town_of(settings, known)
    tokens = TokenTable(database, town)
    clock, ids = seams.clock, seams.ids
    api = WeChatApi(settings.wechat_app_id, settings.wechat_app_secret, tokens, clock, settings.wechat_api_url)
    keys = settings.wechat_aes_key, settings.wechat_aes_key_previous
    gate = Gate(settings.wechat_token, settings.wechat_app_id, settings.wechat_mode, keys)
    replies = Replies(database, catalogues, outgoing, channel=WeChat.name, township_id=town, clock=clock, ids=ids)
    notice = Notice(**settings.wechat_notice) if settings.wechat_notice else None
    named: dict[str, Any] = {"township_id": town, "pseudonyms": await pseudonyms_of(database, town)}
    sending = WeChatOutgoing(
        api,
        database,
        media.of(town),
        catalogues,
        clock,
        ids=ids,
        zone=settings.zone,
        notice=notice,
        troubles=troubles,
        **named,
    )
    wechat = WeChat(gate, api, replies, sending, clock, **named)
    media.of(town).fetchers[wechat.name] = api.fetch
    platforms.channels.add(town, wechat)
    platforms.wechat = wechat
    return wechat


def open_push(settings: Settings, database: Database, catalogues: Catalogues, clock: Clock) -> Telling | None:
    """What tells browsers that something waits; None without an https PUBLIC_URL, where no browser offers it.

    Raises PushKeyDamaged. Its modules are loaded only then, as those of WeChat.
    """
    if not settings.push_contact:
        return None
    from bot.push.keys import load_key
    from bot.push.service import PushService
    from bot.push.telling import Telling

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    service = PushService(load_key(settings.data_dir), settings.push_contact, clock, settings.push_hosts)
    return Telling(database, service, catalogues, clock)


def native_menus(
    commands: Mapping[Literal["private", "group"], Sequence[str]], catalogues: Catalogues
) -> list[NativeMenu]:
    """The menus that a platform itself offers, in each language and in the township's own for any other."""
    languages = [("", catalogues.default), *((name.partition("_")[0], name) for name in catalogues.languages)]
    return [
        NativeMenu(scope, short, tuple((name, catalogues[language].render(text(f"menu.{name}"))) for name in names))
        for scope, names in commands.items()
        for short, language in languages
    ]


async def make_bots(
    settings: Settings,
    database: Database,
    clock: Clock,
    media: MediaStores,
    menus: Sequence[NativeMenu],
    troubles: Troubles,
) -> dict[int, Telegram]:
    """A Telegram bot for each township that has a token: TELEGRAM_TOKEN is the first one's."""
    bots: dict[int, Telegram] = {}
    known = await database.read(townships.every_name)
    tokens = {row["township_id"]: settings.telegram_tokens.get(row["code"], "") for row in known}
    if settings.telegram_token and known:
        tokens[known[0]["township_id"]] = settings.telegram_token
    for row in known:
        township_id, token = row["township_id"], tokens[row["township_id"]]
        if token:
            path = "/telegram" if token == settings.telegram_token else f"/telegram/{row['code']}"
            named: dict[str, Any] = {"token": token, "township_id": township_id, "path": path, "menus": menus}
            named["pseudonyms"] = await pseudonyms_of(database, township_id)
            bot = Telegram(settings, clock, media.of(township_id), troubles=troubles, **named)
            media.of(township_id).fetchers[bot.name] = bot.fetch
            bots[township_id] = bot
    return bots
