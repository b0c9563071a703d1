"""The other usual way: aiogram 3 with a finite-state machine kept in SQLite, and reports beside it.

As its best users would write it: orjson, one write an update, a commit for all that wait.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiosqlite
import orjson
import uvloop
from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from benchmarks.rivals import texts

UPSERT = (
    "INSERT INTO fsm (key, state, data) VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET state = excluded.state, data = excluded.data"
)
router = Router()


class Report(StatesGroup):
    """Where in the report a person is."""

    kind = State()
    photos = State()
    place = State()
    named = State()
    submit = State()


class SqliteStorage(BaseStorage):
    """State and data of each conversation in one row: read once, kept in memory, written once an update. What is to be
    written at the same moment shares a commit.
    """

    def __init__(self, db: aiosqlite.Connection, reports: int) -> None:
        self._db = db
        self._reports = reports
        self._known: dict[str, tuple[str | None, dict[str, Any]]] = {}
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []
        self._next: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> SqliteStorage:
        """Open the file and make the tables."""
        db = await aiosqlite.connect(path)
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute("PRAGMA synchronous=FULL")
        await db.execute("CREATE TABLE IF NOT EXISTS fsm (key TEXT PRIMARY KEY, state TEXT, data TEXT) STRICT")
        await db.execute(texts.CREATE_REPORTS)
        await db.commit()
        async with db.execute("SELECT COUNT(*) FROM reports") as cursor:
            row = await cursor.fetchone()
        return cls(db, row[0] if row else 0)

    async def save(self, key: StorageKey, state: StateType, data: Mapping[str, Any], *report: Any) -> None:
        """Write state and data, and a finished report, in one transaction."""
        name, value = _name(key), state.state if isinstance(state, State) else state
        self._known[name] = value, dict(data)
        self._waiting.append((UPSERT, (name, value, orjson.dumps(data).decode())))
        if report:
            self._waiting.append((texts.INSERT_REPORT, report))
        if self._next is None:
            self._next = asyncio.create_task(self._write())
        await asyncio.shield(self._next)

    def next_number(self) -> int:
        """The number of a new report."""
        self._reports += 1
        return self._reports

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Write the state."""
        await self.save(key, state, await self.get_data(key))

    async def get_state(self, key: StorageKey) -> str | None:
        """Read the state."""
        return (await self._read(key))[0]

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Write all data."""
        await self.save(key, await self.get_state(key), data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Read all data."""
        return dict((await self._read(key))[1])

    async def close(self) -> None:
        """Close the file."""
        await self._db.close()

    async def _write(self) -> None:
        async with self._one_at_a_time:
            waiting, self._waiting, self._next = self._waiting, [], None
            for sql in (UPSERT, texts.INSERT_REPORT):
                await self._db.executemany(sql, [values for wanted, values in waiting if wanted == sql])
            await self._db.commit()

    async def _read(self, key: StorageKey) -> tuple[str | None, dict[str, Any]]:
        name = _name(key)
        if name not in self._known:
            async with self._db.execute("SELECT state, data FROM fsm WHERE key = ?", (name,)) as cursor:
                row = await cursor.fetchone()
            self._known[name] = (row[0], orjson.loads(row[1])) if row else (None, {})
        return self._known[name]


def _name(key: StorageKey) -> str:
    return f"{key.bot_id}:{key.chat_id}:{key.user_id}:{key.destiny}"


async def _go_on(context: FSMContext, state: State | None, data: Mapping[str, Any], *report: Any) -> None:
    """The next state with its data, in one write."""
    storage = context.storage
    assert isinstance(storage, SqliteStorage)
    await storage.save(context.key, state, data, *report)


def _keys(labels: dict[str, str]) -> InlineKeyboardMarkup:
    keys = [InlineKeyboardButton(text=label, callback_data=data) for data, label in labels.items()]
    return InlineKeyboardMarkup(inline_keyboard=[keys[i : i + 2] for i in range(0, len(keys), 2)])


KIND_KEYS = _keys({f"kind:{kind}": label for kind, label in texts.KINDS.items()})
DONE_KEYS = _keys({"photos:done": "✅ 完成"})
NAMED_KEYS = _keys({"named:yes": "实名", "named:no": "匿名"})
SUBMIT_KEYS = _keys({"submit:yes": "提交", "submit:no": "取消"})


async def _tapped(query: CallbackQuery) -> Message:
    await query.answer()
    assert isinstance(query.message, Message)
    return query.message


@router.message(Command("report"))
async def start(message: Message, state: FSMContext) -> None:
    """`/report`."""
    await _go_on(state, Report.kind, {})
    await message.answer(texts.ASK_KIND, reply_markup=KIND_KEYS)


@router.callback_query(Report.kind, F.data.startswith("kind:"))
async def kind(query: CallbackQuery, state: FSMContext) -> None:
    """A kind was tapped."""
    message = await _tapped(query)
    await _go_on(state, Report.photos, {"kind": str(query.data).partition(":")[2], "photos": []})
    await message.answer(texts.ASK_PHOTOS, reply_markup=DONE_KEYS)


@router.message(Report.photos, F.photo)
async def photo(message: Message, state: FSMContext) -> None:
    """One photo; more may follow."""
    assert message.photo
    answers = await state.get_data()
    photos = [*answers["photos"], message.photo[-1].file_id]
    await _go_on(state, Report.photos, answers | {"photos": photos})
    await message.answer(texts.GOT_PHOTO.format(count=len(photos)), reply_markup=DONE_KEYS)


@router.callback_query(Report.photos, F.data == "photos:done")
async def photos_done(query: CallbackQuery, state: FSMContext) -> None:
    """No more photos."""
    message = await _tapped(query)
    await _go_on(state, Report.place, await state.get_data())
    await message.answer(texts.ASK_PLACE)


@router.message(Report.place, F.location)
async def place(message: Message, state: FSMContext) -> None:
    """A location."""
    assert message.location is not None
    where = [message.location.latitude, message.location.longitude]
    await _go_on(state, Report.named, await state.get_data() | {"place": where})
    await message.answer(texts.ASK_NAMED, reply_markup=NAMED_KEYS)


@router.callback_query(Report.named, F.data.startswith("named:"))
async def named(query: CallbackQuery, state: FSMContext) -> None:
    """Named or anonymous."""
    message = await _tapped(query)
    answers = await state.get_data() | {"named": query.data == "named:yes"}
    await _go_on(state, Report.submit, answers)
    review = texts.REVIEW.format(kind=texts.KINDS[answers["kind"]], place=answers["place"])
    await message.answer(review, reply_markup=SUBMIT_KEYS)


@router.callback_query(Report.submit, F.data == "submit:yes")
async def submit(query: CallbackQuery, state: FSMContext) -> None:
    """Store the report, then confirm it."""
    message = await _tapped(query)
    answers = await state.get_data()
    person_id = query.from_user.id if answers["named"] else None
    storage = state.storage
    assert isinstance(storage, SqliteStorage)
    photos = ",".join(answers["photos"])
    values = (person_id, answers["kind"], *answers["place"], photos, time.time_ns() // 1_000_000)
    number = storage.next_number()
    await _go_on(state, None, {}, *values)
    await message.answer(texts.RECEIVED.format(number=number))


@router.callback_query(Report.submit, F.data == "submit:no")
@router.message(Command("cancel"))
async def cancel(event: CallbackQuery | Message, state: FSMContext) -> None:
    """`/cancel`, or the review's other button."""
    message = await _tapped(event) if isinstance(event, CallbackQuery) else event
    await _go_on(state, None, {})
    await message.answer("已取消。")


async def main() -> None:
    """Poll until SIGTERM."""
    server = TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])
    session = AiohttpSession(api=server, json_loads=orjson.loads, json_dumps=lambda value: orjson.dumps(value).decode())
    bot = Bot(os.environ["TELEGRAM_TOKEN"], session=session)
    storage = await SqliteStorage.open(Path(os.environ["DATA_DIR"]) / "aiogram.db")
    dispatcher = Dispatcher(storage=storage)
    dispatcher.include_router(router)
    await dispatcher.start_polling(bot, allowed_updates=dispatcher.resolve_used_update_types())


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main())
