"""The usual way: python-telegram-bot Application, ConversationHandler, PicklePersistence, reports in SQLite.

As its best users would write it: orjson, and a tap is answered beside the message that follows it.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import aiosqlite
import orjson
import uvloop
from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)
from telegram.request import HTTPXRequest

from benchmarks.rivals import texts

KIND, PHOTOS, PLACE, NAMED, SUBMIT = range(5)
Context = ContextTypes.DEFAULT_TYPE


def _keys(labels: dict[str, str]) -> InlineKeyboardMarkup:
    keys = [InlineKeyboardButton(label, callback_data=data) for data, label in labels.items()]
    return InlineKeyboardMarkup([keys[i : i + 2] for i in range(0, len(keys), 2)])


KIND_KEYS = _keys({f"kind:{kind}": label for kind, label in texts.KINDS.items()})
DONE_KEYS = _keys({"photos:done": "✅ 完成"})
NAMED_KEYS = _keys({"named:yes": "实名", "named:no": "匿名"})
SUBMIT_KEYS = _keys({"submit:yes": "提交", "submit:no": "取消"})


class ReportBot:
    """The report conversation; answers in `user_data`, the finished report in SQLite."""

    db: aiosqlite.Connection

    async def open(self, _: Any) -> None:
        """Open the database before the first update."""
        self.db = await aiosqlite.connect(Path(os.environ["DATA_DIR"]) / "reports.db")
        await self.db.execute("PRAGMA journal_mode=WAL")
        await self.db.execute("PRAGMA synchronous=FULL")
        await self.db.execute(texts.CREATE_REPORTS)
        await self.db.commit()

    async def close(self, _: Any) -> None:
        """Close it after the last."""
        await self.db.close()

    async def start(self, update: Update, context: Context) -> int:
        """`/report`."""
        assert update.message is not None
        _answers(context).clear()
        await update.message.reply_text(texts.ASK_KIND, reply_markup=KIND_KEYS)
        return KIND

    async def kind(self, update: Update, context: Context) -> int:
        """A kind was tapped."""
        query, message = _tapped(update)
        _answers(context)["kind"] = str(query.data).partition(":")[2]
        await asyncio.gather(query.answer(), message.reply_text(texts.ASK_PHOTOS, reply_markup=DONE_KEYS))
        return PHOTOS

    async def photo(self, update: Update, context: Context) -> int:
        """One photo; more may follow."""
        assert update.message is not None
        photos: list[str] = _answers(context).setdefault("photos", [])
        photos.append(update.message.photo[-1].file_id)
        await update.message.reply_text(texts.GOT_PHOTO.format(count=len(photos)), reply_markup=DONE_KEYS)
        return PHOTOS

    async def photos_done(self, update: Update, context: Context) -> int:
        """No more photos."""
        query, message = _tapped(update)
        await asyncio.gather(query.answer(), message.reply_text(texts.ASK_PLACE))
        return PLACE

    async def place(self, update: Update, context: Context) -> int:
        """A location."""
        assert update.message is not None and update.message.location is not None
        location = update.message.location
        _answers(context)["place"] = (location.latitude, location.longitude)
        await update.message.reply_text(texts.ASK_NAMED, reply_markup=NAMED_KEYS)
        return NAMED

    async def named(self, update: Update, context: Context) -> int:
        """Named or anonymous."""
        query, message = _tapped(update)
        answers = _answers(context)
        answers["named"] = query.data == "named:yes"
        review = texts.REVIEW.format(kind=texts.KINDS[answers["kind"]], place=answers["place"])
        await asyncio.gather(query.answer(), message.reply_text(review, reply_markup=SUBMIT_KEYS))
        return SUBMIT

    async def submit(self, update: Update, context: Context) -> int:
        """Store the report, then confirm it."""
        query, message = _tapped(update)
        answers = _answers(context)
        person_id = query.from_user.id if answers["named"] else None
        photos = ",".join(answers.get("photos", []))
        values = (person_id, answers["kind"], *answers["place"], photos, time.time_ns() // 1_000_000)
        cursor = await self.db.execute(texts.INSERT_REPORT, values)
        await self.db.commit()
        answers.clear()
        received = texts.RECEIVED.format(number=cursor.lastrowid)
        await asyncio.gather(query.answer(), message.reply_text(received))
        return ConversationHandler.END

    async def cancel(self, update: Update, context: Context) -> int:
        """`/cancel`, or the review's other button."""
        _answers(context).clear()
        if update.effective_message is not None:
            await update.effective_message.reply_text("已取消。")
        return ConversationHandler.END


def _answers(context: Context) -> dict[str, Any]:
    assert context.user_data is not None
    return context.user_data


def _tapped(update: Update) -> tuple[CallbackQuery, Message]:
    query = update.callback_query
    assert query is not None and isinstance(query.message, Message)
    return query, query.message


class OrjsonRequest(HTTPXRequest):
    """The library's transport with a faster parser, as its documentation proposes."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer as a dict."""
        answer: dict[str, Any] = orjson.loads(payload)
        return answer


def build() -> Application[Any, Any, Any, Any, Any, Any]:
    """The application."""
    bot = ReportBot()
    talk: ConversationHandler[Context] = ConversationHandler(
        name="report",
        persistent=True,
        allow_reentry=True,
        entry_points=[CommandHandler("report", bot.start)],
        states={
            KIND: [CallbackQueryHandler(bot.kind, pattern="^kind:")],
            PHOTOS: [
                MessageHandler(filters.PHOTO, bot.photo),
                CallbackQueryHandler(bot.photos_done, pattern="^photos:done$"),
            ],
            PLACE: [MessageHandler(filters.LOCATION, bot.place)],
            NAMED: [CallbackQueryHandler(bot.named, pattern="^named:")],
            SUBMIT: [
                CallbackQueryHandler(bot.submit, pattern="^submit:yes$"),
                CallbackQueryHandler(bot.cancel, pattern="^submit:no$"),
            ],
        },
        fallbacks=[CommandHandler("cancel", bot.cancel)],
    )
    application = (
        ApplicationBuilder()
        .token(os.environ["TELEGRAM_TOKEN"])
        .base_url(os.environ["TELEGRAM_API_URL"] + "/bot")
        .base_file_url(os.environ["TELEGRAM_API_URL"] + "/file/bot")
        .request(OrjsonRequest(connection_pool_size=256))
        .get_updates_request(OrjsonRequest(connection_pool_size=1))
        .persistence(PicklePersistence(Path(os.environ["DATA_DIR"]) / "conversations.pickle"))
        .post_init(bot.open)
        .post_shutdown(bot.close)
        .build()
    )
    application.add_handler(talk)
    return application


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    build().run_polling()
