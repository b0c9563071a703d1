"""What holds in the township now: policy and places, loaded from the database once and again when they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.talk.form import Answer, Reading, Wrong
from bot.talk.geo import GeoError, make_point, to_wgs84
from bot.talk.messages import In
from handlers.areas.index import Gazetteer
from handlers.areas.places import PlaceMatch
from handlers.policy.actions import Policies
from handlers.policy.model import Policy, PolicyVersion

PHONE_ERROR_M = 150
NEAR_M = 800


@dataclass(frozen=True, slots=True)
class World:
    """`policies` has every version, `current` is the one in force now; `telegram_name` the bot's, "" without one.

    `robots`: the areas whose WeCom groups have a robot, with its address.
    """

    code: str
    name: str
    zone: ZoneInfo
    public_url: str
    telegram_name: str
    places: Gazetteer
    policies: Policies
    current: PolicyVersion
    robots: Mapping[int, str] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.current.policy

    def policy_at(self, when_ms: int) -> PolicyVersion:
        """The policy in force at a moment."""
        return self.policies.at(when_ms)

    def local(self, when_ms: int) -> datetime:
        """A moment in the township's time."""
        return datetime.fromtimestamp(when_ms / 1000, UTC).astimezone(self.zone)

    def day(self, when_ms: int) -> date:
        """The township's date at a moment."""
        return self.local(when_ms).date()

    def moment_ms(self, day: date, clock: time) -> int:
        """A time of day of a township's date, in ms UTC."""
        return int(datetime.combine(day, clock, self.zone).timestamp() * 1000)

    def after_quiet_ms(self, when_ms: int) -> int:
        """The moment itself, or the end of the quiet hours it falls into."""
        local = self.local(when_ms)
        quiet = self.policy.quiet
        if not quiet.covers(local.time()):
            return when_ms
        day = local.date()
        ends_ms = self.moment_ms(day, quiet.end)
        return ends_ms if ends_ms > when_ms else ends_ms + 86_400_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What form steps may know."""

    world: World
    today: date

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.world.policy

    @property
    def text_chars_largest(self) -> int:
        """The most characters of one message."""
        return self.policy.limits.text_chars_largest

    @property
    def photos_largest(self) -> int:
        """The most photos of one answer."""
        return self.policy.limits.photos_largest

    def place_of(self, event: In) -> Reading:
        """Read a pin or words into a place.

        The answer: label, and where known area_id, landmark_id, lat, lng with their datum, words.
        """
        if event.kind == "place":
            return self._pin(event)
        said = event.text.strip()
        if not any(character.isalnum() for character in said):
            return Wrong("no_words")
        if len(said) > 200:
            return Wrong("too_long", {"count": len(said), "max": 200})
        match = self.world.places.find_place(said)
        if match is None:
            return Answer({"label": said, "words": said})
        if match.village is None:
            villages = "、".join(choice.village.name for choice in match.choices[:6])
            return Wrong("which_village", {"said": match.said, "villages": villages})
        return Answer(place_answer(match, said))

    def place_of_words(self, said: str) -> dict[str, Any] | None:
        """The landmark or village that a sentence names beyond doubt, or None."""
        match = self.world.places.find_place(said)
        return place_answer(match, said) if match is not None and match.village is not None else None

    def _pin(self, event: In) -> Reading:
        try:
            point = to_wgs84(make_point(event.lat, event.lng, event.datum))
        except GeoError:
            return Wrong("no_position")
        village = self.world.places.locate(point, slack_m=PHONE_ERROR_M)
        if village is None:
            return Wrong("outside", {"township": self.world.name})
        near = self.world.places.nearest_landmarks(point, limit=1, within_m=NEAR_M)
        label = village.name + (f" {near[0].landmark.name}" if near else "")
        return Answer(
            {
                "label": label,
                "area_id": village.area_id,
                "lat": round(point.lat, 6),
                "lng": round(point.lng, 6),
                "datum": point.datum,
                "datum_said": event.datum,
            }
        )


def place_answer(match: PlaceMatch, said: str) -> dict[str, Any]:
    """A named place as a form's answer: label, area_id, and where known landmark_id, lat, lng, datum."""
    assert match.village is not None
    area = match.hamlet or match.village
    names = [match.village.name, *(one.name for one in (match.hamlet, match.landmark) if one is not None)]
    found: dict[str, Any] = {"label": " ".join(names), "area_id": area.area_id, "words": said[:200]}
    if match.landmark is not None:
        found["landmark_id"] = match.landmark.landmark_id
    if match.point is not None:
        found.update(lat=match.point.lat, lng=match.point.lng, datum=match.point.datum)
    return found
