"""What the policy says of the house: limits, consent, how long things are kept, invitations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.policy.fields import Hours, KeptDays, Many, Points, Positive, Table, Words


class Limits(Table):
    """How much one person may send. The upper ends are what the program itself can take."""

    messages_per_minute: Annotated[int, Field(ge=5, le=100_000)]
    text_chars_largest: Annotated[int, Field(ge=50, le=4_000)]
    photos_largest: Annotated[int, Field(ge=1, le=9)]
    photo_bytes_largest: Annotated[int, Field(ge=100_000, le=20_971_520)]
    photo_pixels_largest: Annotated[int, Field(ge=1_000_000, le=120_000_000)]
    video_bytes_largest: Annotated[int, Field(ge=100_000, le=20_971_520)]


class Consent(Table):
    """What a newcomer agrees to (PIPL 13, 17); a higher `version` asks everyone again."""

    version: Annotated[int, Field(ge=1)]
    keeper: Words
    text: Words


class Retention(Table):
    """How long what is personal is kept (PIPL 19). Ledgers, tickets and cases' histories are never erased (D8)."""

    reporter_identity_days: KeptDays
    photo_days: KeptDays
    position_days: KeptDays
    conversation_days: KeptDays
    delivery_days: KeptDays
    loose_photo_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 18
    """What was uploaded and filed with nothing; it is looked at every six hours, so that it is gone within a day."""


class MediaRules(Table):
    """Photos that a page made smaller to send them soon: whether their originals follow, and until when."""

    originals: Literal["never", "on_wifi"] = "on_wifi"
    originals_days: Annotated[int, Field(ge=1, le=30)] = 7
    """A phone may see no wifi for days; after so many from the photo on, its original is not taken any more."""


class PointRules(Table):
    """Points for film (D51)."""

    household_day_largest: Points


class Reminding(Table):
    """What people may choose for reminders."""

    snooze_minutes: Many[Positive]


class Invitations(Table):
    """How long invitations and codes hold."""

    valid_hours: Hours
    link_code_valid_minutes: Positive


class Notices(Table):
    """How staff hear of what waits for them, of each kind. The first urgent one of a village comes at once, always."""

    one_by_one_an_hour: Annotated[int, Field(ge=1, le=1_000)] = 8
    bundle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    """What is more in an hour is gathered for so long, and told together."""
    urgent_one_by_one_an_hour: Annotated[int, Field(ge=1, le=1_000)] = 20
    urgent_bundle_minutes: Annotated[int, Field(ge=1, le=60)] = 5


class Undo(Table):
    """How long a decision can be taken back before anybody else hears of it; 0: it takes effect at once."""

    minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 10
