"""The real program as a process, and people with Telegram on their phones."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from bot.channels.telegram.wire import messages_of
from bot.stored import load_out
from bot.talk.messages import In, Out
from storage.engine.parameters import numbered
from tests.example import ROOT
from tests.fakes.botapi import FakeBotApi
from tests.fakes.botapi_people import Heard, User
from tests.fakes.pictures import photo
from tests.unsealed import opened_by, pseudonyms_by

SERVES_S = 30.0
AWAY = (sqlite3.OperationalError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
KEY = "key.0.key"  # a key of the reply keyboard, which has no data


class Look(Protocol):
    """Looks into the program's data: named parameters, rows by column name. Raises one of AWAY."""

    def __call__(self, sql: str, **params: Any) -> list[Any]: ...


def look_into(path: Path) -> Look:
    """A SQLite file."""

    def rows(sql: str, **params: Any) -> list[sqlite3.Row]:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            connection.close()

    return rows


class LookAtServer:
    """A PostgreSQL database, from a loop in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection: asyncpg.Connection | None = None

    def __call__(self, sql: str, **params: Any) -> list[Any]:
        return asyncio.run_coroutine_threadsafe(self._rows(sql, params), self._loop).result(20)

    async def _rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url)
        text, names = numbered(sql)
        return list(await self._connection.fetch(text, *(params[name] for name in names)))

    def close(self) -> None:
        """Disconnect, and end the thread."""
        if self._connection is not None:
            asyncio.run_coroutine_threadsafe(self._connection.close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Program:
    """`python -m bot run` with its own DATA_DIR, with all parts or `only` some; the clock of its lives to come is
    `ahead_ms` ahead of the machine's."""

    def __init__(self, folder: Path, api: FakeBotApi | None, look: Look, *, only: str = "", **environment: str) -> None:
        self.folder = folder
        self.key_file = Path(environment.get("DATA_DIR", folder / "data")) / "vault.key"
        self.only = only
        self.life = 0
        self.ahead_ms = 0
        self.rows = look
        self._process: asyncio.subprocess.Process | None = None
        self._environment = {
            **os.environ,
            "DATA_DIR": str(folder / "data"),
            **({"TELEGRAM_TOKEN": api.token, "TELEGRAM_API_URL": api.url} if api else {}),
            "TELEGRAM_RATE_PER_SECOND": "0",
            "WEB_PORT": "0",
            "LOG_LEVEL": "INFO",
            **environment,
        }

    @property
    def log(self) -> str:
        """Everything it ever logged."""
        return (self.folder / "log").read_text("utf-8")

    async def start(self) -> None:
        """Begin another life; returns at once."""
        self.life += 1
        module = ("tests.ahead", str(self.ahead_ms)) if self.ahead_ms else ("bot",)
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *module,
                "run",
                *(("--only", self.only) if self.only else ()),
                cwd=ROOT,
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def serves(self) -> None:
        """Wait until it says that it serves."""
        await self.serves_at()

    async def serves_at(self) -> int:
        """Wait until it says that it serves; the port."""
        assert self._process is not None and self._process.stdout is not None
        async with asyncio.timeout(SERVES_S):
            while line := await self._process.stdout.readline():
                if found := re.search(rb"serves at .*:(\d+)", line):
                    return int(found[1])
        raise AssertionError(f"it ended: {self.log[-3000:]}")

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None and self._process.returncode is None, f"it died by itself: {self.log[-3000:]}"
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Leave nothing behind, also after a test that failed."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 20)

    async def command(self, *words: str) -> tuple[int, str]:
        """Another command of the program: exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, cwd=ROOT, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        return process.returncode or 0, printed.decode()


@dataclass
class Phone:
    """One person's Telegram: what they send in order, and everything they ever heard."""

    user: User
    program: Program
    listener: Any = None
    heard: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    _outgoing: asyncio.Queue[In | None] = field(default_factory=asyncio.Queue)
    _shown: dict[str, Heard] = field(default_factory=dict)
    _sent: int = 0
    _under_way: int = 0

    @property
    def address(self) -> str:
        return f"telegram:{self.user.id}"

    @cached_property
    def stored_as(self) -> str:
        """What the program calls them in its rows."""
        return pseudonyms_by(self.program.rows, self.program.key_file).of(self.address)

    def says(self, event: In | None) -> int:
        """Send something after what was sent before."""
        self._sent += 1
        self._under_way += 1
        self._outgoing.put_nowait(event)
        return self._sent

    async def send_all(self) -> None:
        """Carry what is said to the server."""
        while True:
            await self._send(await self._outgoing.get())
            self._under_way -= 1

    async def _send(self, event: In | None) -> None:
        match event:
            case In(kind="tap", text=label, data=data) if data in self._shown:
                await self.user.taps(label, on=self._shown[data])
            case In(kind="media", text=caption, media=media):
                for at, _ in enumerate(media):
                    await self.user.sends_photo(photo(self._sent + at), caption if at == 0 else "")
            case In(kind="place", lat=lat, lng=lng):
                await self.user.sends_location(lat, lng)
            case In(kind="start", data=token):
                await self.user.says(f"/start {token}")
            case In(text=words) if words.strip():
                await self.user.says(words)
            case _:
                await self.user.sends({"dice": {"emoji": "🎲", "value": 4}})

    async def hear_all(self) -> None:
        """Show what arrives to the person."""
        while True:
            heard = await self.user.hears(timeout_s=1e6)
            data = tuple(button.data for button in heard.buttons)
            self.heard.append((self.program.life, heard.text, data))
            self._shown |= dict.fromkeys(filter(None, data), heard)
            rows = tuple(((button.label, button.data or KEY, "plain"),) for button in heard.buttons if not button.url)
            self.listener(Out(heard.text, rows, _ask_of(heard)))

    def handled(self) -> bool:
        """Whether the program has handled everything that this person sent."""
        mine = [update for update in self.user.world.queue if f'"id": {self.user.id},' in str(update).replace("'", '"')]
        if mine or self._under_way:
            return False
        sql = "SELECT COUNT(*) AS n FROM inbox WHERE address = :address AND state = 'new'"
        return bool(self.program.rows(sql, address=self.stored_as)[0]["n"] == 0)

    def faults(self) -> list[str]:
        """What they should have heard against what they heard: everything in order, and after each kill at most
        the one message once more that was on its way."""
        stored = self.program.rows("SELECT body FROM outbox WHERE address = :a ORDER BY id", a=self.stored_as)
        wanted = [
            (message["text"], _buttons(message.get("reply_markup", {})))
            for row in opened_by(self.program.rows, self.program.key_file, stored)
            if not (out := load_out(row["body"])).commands  # the platform's own menu is no message
            for message in messages_of(self.user.id, out)
        ]
        heard_until, life = {0}, 0
        for at, (heard_in, text, data) in enumerate(self.heard):
            new = {one + 1 for one in heard_until if one < len(wanted) and wanted[one] == (text, data)}
            if heard_in != life:
                new |= {one for one in heard_until if one and wanted[one - 1] == (text, data)}
            if not new:
                return [f"{self.address} heard {text[:40]!r} as message {at} of life {heard_in}, out of its turn"]
            heard_until, life = new, heard_in
        return (
            [] if len(wanted) in heard_until else [f"{self.address} heard {max(heard_until)} of {len(wanted)} messages"]
        )


class Phones:
    """All phones, as the simulated people's platform."""

    def __init__(self) -> None:
        self.all: dict[str, Phone] = {}
        self.handled = _Handled(self.all)

    def says(self, address: str, event: In | None) -> int:
        """A person sends something."""
        return self.all[address].says(event)


class _Handled:
    """How far the program is with a person's updates: all the way, or not known."""

    def __init__(self, phones: Mapping[str, Phone]) -> None:
        self._phones = phones

    def get(self, address: str, default: int) -> int:
        try:
            return 1 << 60 if self._phones[address].handled() else default
        except AWAY:
            return default


def _buttons(markup: Mapping[str, Any]) -> tuple[str, ...]:
    rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
    return tuple(str(button.get("callback_data", "")) for row in rows for button in row)


def _ask_of(heard: Heard) -> str:
    """What a screen asks for, as a person understands it."""
    if heard.keyboard == "reply":
        return "place"
    if any(button.data.split(".", 2)[-1].startswith("=") for button in heard.buttons):
        return "choice"
    if "照片" in heard.text or "拍" in heard.text:
        return "photos"
    return "number" if "多重" in heard.text or "含杂" in heard.text else "text"
