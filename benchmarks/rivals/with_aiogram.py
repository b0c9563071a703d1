"""The other usual way: aiogram 3 with a finite-state machine kept in SQLite, and reports beside it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiosqlite
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

router = Router()


class Report(StatesGroup):
    """Where in the report a person is."""

    kind = State()
    photos = State()
    place = State()
    named = State()
    submit = State()


class SqliteStorage(BaseStorage):
    """State and data of each conversation in one row; every change is committed."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    @classmethod
    async def open(cls, path: Path) -> SqliteStorage:
        """Open the file and make the tables."""
        db = await aiosqlite.connect(path)
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute("PRAGMA synchronous=FULL")
        await db.execute("CREATE TABLE IF NOT EXISTS fsm (key TEXT PRIMARY KEY, state TEXT, data TEXT) STRICT")
        await db.execute(texts.CREATE_REPORTS)
        await db.commit()
        return cls(db)

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Write the state."""
        value = state.state if isinstance(state, State) else state
        await self._write("state", key, value)

    async def get_state(self, key: StorageKey) -> str | None:
        """Read the state."""
        return await self._read("state", key)

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Write all data."""
        await self._write("data", key, json.dumps(data, ensure_ascii=False))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Read all data."""
        value = await self._read("data", key)
        return json.loads(value) if value else {}

    async def save_report(self, values: tuple[Any, ...]) -> int:
        """Insert a report; its number."""
        cursor = await self._db.execute(texts.INSERT_REPORT, values)
        await self._db.commit()
        return cursor.lastrowid or 0

    async def close(self) -> None:
        """Close the file."""
        await self._db.close()

    async def _write(self, column: str, key: StorageKey, value: str | None) -> None:
        await self._db.execute(
            f"INSERT INTO fsm (key, {column}) VALUES (?, ?)"
            f" ON CONFLICT (key) DO UPDATE SET {column} = excluded.{column}",
            (f"{key.bot_id}:{key.chat_id}:{key.user_id}:{key.destiny}", value),
        )
        await self._db.commit()

    async def _read(self, column: str, key: StorageKey) -> str | None:
        row_key = f"{key.bot_id}:{key.chat_id}:{key.user_id}:{key.destiny}"
        async with self._db.execute(f"SELECT {column} FROM fsm WHERE key = ?", (row_key,)) as cursor:
            row = await cursor.fetchone()
        return row[0] if row else None


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
    await state.clear()
    await state.set_state(Report.kind)
    await message.answer(texts.ASK_KIND, reply_markup=KIND_KEYS)


@router.callback_query(Report.kind, F.data.startswith("kind:"))
async def kind(query: CallbackQuery, state: FSMContext) -> None:
    """A kind was tapped."""
    message = await _tapped(query)
    await state.update_data(kind=str(query.data).partition(":")[2], photos=[])
    await state.set_state(Report.photos)
    await message.answer(texts.ASK_PHOTOS, reply_markup=DONE_KEYS)


@router.message(Report.photos, F.photo)
async def photo(message: Message, state: FSMContext) -> None:
    """One photo; more may follow."""
    assert message.photo
    photos = [*(await state.get_data())["photos"], message.photo[-1].file_id]
    await state.update_data(photos=photos)
    await message.answer(texts.GOT_PHOTO.format(count=len(photos)), reply_markup=DONE_KEYS)


@router.callback_query(Report.photos, F.data == "photos:done")
async def photos_done(query: CallbackQuery, state: FSMContext) -> None:
    """No more photos."""
    message = await _tapped(query)
    await state.set_state(Report.place)
    await message.answer(texts.ASK_PLACE)


@router.message(Report.place, F.location)
async def place(message: Message, state: FSMContext) -> None:
    """A location."""
    assert message.location is not None
    await state.update_data(place=[message.location.latitude, message.location.longitude])
    await state.set_state(Report.named)
    await message.answer(texts.ASK_NAMED, reply_markup=NAMED_KEYS)


@router.callback_query(Report.named, F.data.startswith("named:"))
async def named(query: CallbackQuery, state: FSMContext) -> None:
    """Named or anonymous."""
    message = await _tapped(query)
    answers = await state.update_data(named=query.data == "named:yes")
    await state.set_state(Report.submit)
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
    number = await storage.save_report(values)
    await state.clear()
    await message.answer(texts.RECEIVED.format(number=number))


@router.callback_query(Report.submit, F.data == "submit:no")
@router.message(Command("cancel"))
async def cancel(event: CallbackQuery | Message, state: FSMContext) -> None:
    """`/cancel`, or the review's other button."""
    message = await _tapped(event) if isinstance(event, CallbackQuery) else event
    await state.clear()
    await message.answer("已取消。")


async def main() -> None:
    """Poll until SIGTERM, with the library's defaults."""
    server = TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])
    bot = Bot(os.environ["TELEGRAM_TOKEN"], session=AiohttpSession(api=server))
    storage = await SqliteStorage.open(Path(os.environ["DATA_DIR"]) / "aiogram.db")
    dispatcher = Dispatcher(storage=storage)
    dispatcher.include_router(router)
    await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main())
