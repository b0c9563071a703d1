"""What form steps may know: the policy, today, and what a place is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.talk.form import Answer, Reading, Wrong
from bot.talk.geo import GeoError, make_point, to_wgs84
from bot.talk.messages import In
from handlers.areas.places import PlaceMatch
from handlers.policy.model import Policy
from handlers.world import World

PHONE_ERROR_M = 150
NEAR_M = 800


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

        The answer: label, and where known area_id, landmark_id, lat, lng with their datum and accuracy_m, words.
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
            return Answer({"label": said, "words": said}, exact=False)
        if match.village is None:
            villages = "、".join(choice.village.name for choice in match.choices[:6])
            return Wrong("which_village", {"said": match.said, "villages": villages})
        return Answer(place_answer(match, said))

    def _pin(self, event: In) -> Reading:
        try:
            point = to_wgs84(make_point(event.lat, event.lng, event.datum))
        except GeoError:
            return Wrong("no_position")
        if event.accuracy_m > self.policy.report.position_error_largest_m:
            km = event.accuracy_m >= 1_000
            return Wrong("rough_km" if km else "rough_m", {"far": round(event.accuracy_m / (1_000 if km else 1))})
        village = self.world.places.locate(point, slack_m=max(PHONE_ERROR_M, event.accuracy_m))
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
                **({"accuracy_m": event.accuracy_m} if event.accuracy_m else {}),
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
