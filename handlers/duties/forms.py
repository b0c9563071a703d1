"""What a village is asked about its clean-up: one line answers it all. Step ids are forever."""

from __future__ import annotations

from functools import partial

from bot.talk.form import Day, Form, Found, FreeText, Photos, Quantity
from bot.talk.messages import Words, text
from handlers.duties import reading
from handlers.duties.days import days_near, suppose_last
from handlers.duties.report import own_villages, search_village, submit_cleanup

WORDS_LARGEST = 300


def words_shown(words: str) -> Words:
    """Words in the review."""
    return words or text("review.none")


CLEANUP = Form(
    "cleanup",
    (
        Day(id="day", prepare=days_near, suppose=suppose_last),
        Found(id="village", prepare=own_villages, search=search_village),
        Quantity(id="people", parse=reading.read_people, shown=partial(reading.shown, "people")),
        Quantity(
            id="vehicles",
            optional=True,
            parse=reading.read_vehicles,
            assume=partial(reading.rest_of, "vehicles"),
            shown=partial(reading.shown, "vehicles"),
        ),
        Quantity(
            id="volume",
            optional=True,
            parse=reading.read_volume,
            assume=partial(reading.rest_of, "volume"),
            shown=partial(reading.shown, "volume"),
        ),
        Photos(id="photos", optional=True, limit=9),
        FreeText(id="words", optional=True, max_chars=WORDS_LARGEST, assume=lambda _: "", shown=words_shown),
    ),
    submit_cleanup,
    right="report_cleanup",
)
