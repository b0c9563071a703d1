"""The product as the machine sees it: which commands and forms there are, who may use them, what words mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.errors import PersonError
from bot.talk.form import Form
from bot.talk.hearing import bare
from bot.talk.messages import VOICE, Say, text
from bot.talk.session import Frame
from bot.talk.spans import DAY_MS
from bot.talk.typed import is_command
from bot.turn import Intent
from handlers import registry, understanding
from handlers.facts import Facts
from handlers.people.guide import menu
from handlers.people.menu import IN_GROUPS, native_commands
from handlers.people.rules import may
from handlers.phrases import with_rest
from handlers.pins.asking import asks_first
from handlers.privacy import leaving
from handlers.privacy.consent import READABLE_BEFORE
from handlers.world import Desk, Turn, World
from handlers.world_cache import Worlds
from storage.database import Tx
from storage.machine.media import MediaLimits
from storage.people import people
from storage.product import case_vault, film_figures


async def _first(readings: Iterable[Awaitable[Intent | None]]) -> Intent | None:
    for reading in readings:
        if (intent := await reading) is not None:
            return intent
    return None


class Township:
    """One township's product."""

    def __init__(self, zone: ZoneInfo, public_url: str, robots: Mapping[int, Collection[str]] | None = None) -> None:
        """`robots`: township → the codes of the areas whose WeCom groups have one."""
        self.forms: Mapping[str, Form] = registry.FORMS
        self.timers: Mapping[str, Callable[[Desk, Mapping[str, Any]], Awaitable[None]]] = registry.TIMERS
        self._worlds = Worlds(zone, public_url, robots)
        self._phrases: dict[str, dict[str, str]] = {}

    def name_telegram_bot(self, township_id: int, username: str) -> None:
        """Tell the product under which name a township is found on Telegram."""
        self._worlds.name_telegram_bot(township_id, username)

    async def catch_up(self, tx: Tx) -> None:
        """Bring what earlier versions have stored, and their workers until a moment ago, into today's shape."""
        await case_vault.seal_earlier(tx)
        await case_vault.hand_over_earlier(tx)
        await film_figures.catch_up_waits(tx)

    async def world(self, tx: Tx, now_ms: int) -> World:
        """Policy and places in force."""
        return await self._worlds.load(tx, now_ms)

    def messages_per_minute(self, world: World) -> int:
        """The policy's flood limit."""
        return world.policy.limits.messages_per_minute

    def media_limits(self, township_id: int) -> MediaLimits:
        """How large a photo or video may be, by the policy that was in force when it was looked at last."""
        return self._worlds.media_limits(township_id)

    async def for_pages(self, tx: Tx, now_ms: int) -> Mapping[str, Any]:
        """What the policy says to web pages: `quiet`, the two clocks between which nothing makes a sound; `originals`,
        whether those of photos that were made smaller may follow.
        """
        policy = (await self.world(tx, now_ms)).policy
        quiet = [f"{policy.quiet.start:%H:%M}", f"{policy.quiet.end:%H:%M}"]
        return {"quiet": quiet, "originals": policy.media.originals != "never"}

    async def originals_since(self, tx: Tx, now_ms: int) -> int | None:
        """Since when (ms UTC) a photo must have come for its original to be taken; None when none is, by the policy."""
        rules = (await self.world(tx, now_ms)).policy.media
        return None if rules.originals == "never" else now_ms - rules.originals_days * DAY_MS

    async def takes_photos(self, tx: Tx, address: str, now_ms: int) -> bool:
        """Whether a photo of whoever is at that address may be stored: only once they have agreed (PIPL 13)."""
        contact = await people.contact(tx, address)
        row = await people.person(tx, contact["person_id"]) if contact is not None else None
        agreed = row["consent_version"] if row is not None and row["state"] == "active" else None
        return agreed is not None and agreed == (await self.world(tx, now_ms)).policy.consent.version

    def native_commands(self) -> Mapping[Literal["private", "group"], Sequence[str]]:
        """The commands of a platform's own menu, for everybody's private chat and for groups."""
        return {"private": native_commands(()), "group": IN_GROUPS}

    def facts(self, turn: Turn) -> Facts:
        """What form steps may know."""
        return Facts(turn.world, turn.world.day(turn.now_ms))

    def gate(self, turn: Turn) -> str | None:
        """Nothing is done for a person before they agreed to the consent text in force (PIPL 13, 17)."""
        return None if turn.person.consent_version == turn.world.policy.consent.version else "consent"

    def before_gate(self, intent: Intent) -> bool:
        """The whole text may be read before it is agreed to."""
        return intent.command in READABLE_BEFORE

    def addressed(self, turn: Turn) -> Intent | None:
        """`/report`, a command button, a start link."""
        event = turn.event
        if event.kind == "start":
            return Intent(command="start", args=event.data)
        if event.kind == "tap" and event.data.startswith("/"):
            return self._named(event.data)
        said = event.text.strip() if event.kind == "text" else ""
        return (self._named(said) or Intent(command="unknown", args=said[:40])) if is_command(said) else None

    def phrase(self, turn: Turn) -> Intent | None:
        """What is addressed, or what people call a command («我的积分»), also with what it takes («点名 11月20日»)."""
        intent = self.addressed(turn)
        if intent is not None or turn.event.kind != "text":
            return intent
        said, phrases = turn.event.text.strip(), self._phrases_of(turn)
        if name := phrases.get(bare(said)):
            return self._named(f"/{name}")
        for name, rest in with_rest(said, phrases):
            command = registry.COMMANDS.get(name)
            if command is not None and command.takes(turn, rest):
                return Intent(command=name, args=rest)
        return None

    @staticmethod
    def _named(said: str) -> Intent | None:
        name, _, args = said[1:].partition(" ")
        name = name.split("@", 1)[0].lower()
        if name in registry.FORM_COMMANDS and not args.strip():
            return Intent(form=registry.FORM_COMMANDS[name])
        return Intent(command=name, args=args.strip()) if name in registry.COMMANDS else None

    def _phrases_of(self, turn: Turn) -> Mapping[str, str]:
        language = turn.person.language
        if language not in self._phrases:
            self._phrases[language] = turn.catalogues[language].synonyms("phrase.")
        return self._phrases[language]

    async def interpret(self, turn: Turn) -> Intent | None:
        """What an event means when no question is open: something of an exact shape, or words as understood."""
        event = turn.event
        largest = turn.world.policy.limits.text_chars_largest
        if event.kind == "text" and len(event.text) > largest:
            turn.reply(text("input.too_long", count=len(event.text), max=largest))
            return None
        if event.kind == "other" and event.data == VOICE:
            turn.reply(Say(text("input.voice"), await menu(turn)))
            return None
        if event.kind in ("face", "file", "other"):
            turn.reply(text(f"input.{event.kind}"))
            return None
        exact = await _first(interpret(turn) for interpret in registry.INTERPRETERS)
        if exact is not None or event.kind != "text":
            return exact or Intent(command="help")
        return await understanding.follow(turn)

    async def number(self, turn: Turn) -> Intent | None:
        """The first capability that knows a number of its own in the words."""
        if turn.event.kind != "text":
            return None
        return await _first(read(turn) for read in registry.NUMBERS)

    async def other_matter(self, turn: Turn, *, takes_words: bool) -> Intent | None:
        """The first capability that is sure of the words; else what they are understood as, or an answer to them."""
        intent = await _first(read(turn, takes_words) for read in registry.OTHER_MATTERS)
        if intent is not None or takes_words or turn.event.kind != "text":
            return intent
        return await understanding.in_a_question(turn)

    async def again(self, turn: Turn, frame: Frame) -> Intent | None:
        """A whole line that takes the place of the open draft of its form."""
        whole = registry.WHOLE_LINES.get(frame.form)
        return await whole(turn, frame) if whole else None

    async def command(self, turn: Turn, intent: Intent) -> None:
        """Run a command after checking the person's right to it: the one place where that is done."""
        command = registry.COMMANDS[intent.command]
        if command.refused is not None and not may(turn.person.roles, command.right):
            await command.refused(turn, intent.args)  # a refusal that is raised would undo it
            turn.reply(text("error.no_right", who=text(f"right.{command.right}.who")))
            return
        self._check(turn, command.right)
        await command.action(turn, intent.args)

    async def asks_first(self, turn: Turn, wanted: Intent) -> Intent | None:
        """The question for the PIN, before what releases or reveals."""
        right = registry.FORMS[wanted.form].right if wanted.form else registry.COMMANDS[wanted.command].right
        return await asks_first(turn, right, wanted) if right and turn.person.roles else None

    async def may_open(self, turn: Turn, form: Form) -> None:
        """Check the right to a form."""
        self._check(turn, form.right)

    @staticmethod
    def _check(turn: Turn, right: str) -> None:
        if not may(turn.person.roles, right):
            raise PersonError("no_right", who=text(f"right.{right}.who"))

    async def left(self, turn: Turn) -> None:
        """The person is gone from a channel."""
        await leaving.left(turn)

    async def plan(self, desk: Desk) -> None:
        """Plan the periods of every capability."""
        for plan in registry.PLANS:
            await plan(desk)
