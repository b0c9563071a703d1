"""Which area each robot of WECOM_ROBOTS belongs to. Keys are secrets: nothing here tells one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.checks import Check
from bot.talk.messages import Text, text
from storage.database import Database
from storage.machine import townships, wecom
from storage.product import areas

LEVELS = ("town", "village")
GONE = "no_such_robot"
SHOWN_CHARS = 20  # a longer «name» may be a key that stands on the wrong side


@dataclass(frozen=True, slots=True)
class GroupArea:
    """An area of some township."""

    township_id: int
    level: str
    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Robots:
    """`keys` by the area's code, `places` the areas themselves, and a line for each entry that is left out."""

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    places: tuple[GroupArea, ...] = ()
    faults: tuple[Text, ...] = ()

    def codes(self) -> dict[int, frozenset[str]]:
        """The areas with a robot: township → codes."""
        ids = {place.township_id for place in self.places}
        return {one: frozenset(place.code for place in self.places if place.township_id == one) for one in ids}


async def find_robots(said: Mapping[str, str], database: Database) -> Robots:
    """The robots of every township as they are said: area's code or name → key."""
    found: list[GroupArea] = []
    for township_id in await database.read(townships.every_id) if said else ():
        for row in await database.read(areas.all_areas, township_id=township_id):
            aliases = tuple(one for one in row["aliases"].split(";") if one)
            found.append(GroupArea(township_id, row["level"], row["code"], row["name"], aliases))
    return match(said, found)


async def robots_check(said: Mapping[str, str], database: Database, zone: ZoneInfo) -> list[Check]:
    """Whether every entry names an area, and whether each robot took what was sent to it last; nothing without any."""
    if not said:
        return []
    robots = await find_robots(said, database)
    names = ", ".join(place.name for place in robots.places)
    checks = [Check("robots", not robots.faults, robots.faults or names)]
    for place in robots.places:
        last = partial(wecom.last_ended, address=f"wecom:{place.code}")
        row = await database.read(last, township_id=place.township_id)
        if row is not None and row["state"] == "failed":
            when = datetime.fromtimestamp(row["created_ms"] / 1000, zone)
            gone = row["error"] == GONE
            key = "check.robot.gone" if gone else "check.robot.failed"
            seen = text(key, when=f"{when:%Y-%m-%d %H:%M}", fault=row["error"] or "?")
            checks.append(Check(f"robot {place.name}", False, seen, warning=not gone))
    return checks


def match(said: Mapping[str, str], places: Sequence[GroupArea]) -> Robots:
    """Each entry with the one area that it names. Whatever could be meant otherwise is left out with a line. Pure."""
    keys: dict[str, str] = {}
    named: list[GroupArea] = []
    faults: list[Text] = []
    for name, key in said.items():
        found = _meant(name, key, places)
        if isinstance(found, GroupArea) and found.code in keys:
            found = text("robots.two_entries", area=_shown([found]))
        if isinstance(found, GroupArea):
            keys[found.code] = key.strip()
            named.append(found)
        else:
            faults.append(found)
    return Robots(keys, tuple(named), tuple(faults))


def _meant(name: str, key: str, places: Sequence[GroupArea]) -> GroupArea | Text:
    """The area of that code, else of that name; or what is wrong."""
    found = [place for place in places if place.code == name] or [
        place for place in places if name in (place.name, *place.aliases)
    ]
    said = name if len(name) <= SHOWN_CHARS else f"{name[:4]}…"
    if not key.strip():
        return text("robots.no_key", said=said)
    if not found:
        return text("robots.no_area", said=said)
    if len(found) > 1:
        same = len({place.code for place in found}) < len(found)
        return text(f"robots.{'several_same' if same else 'several'}", said=said, areas=_shown(found))
    if found[0].level not in LEVELS:
        return text("robots.hamlet", area=_shown(found))
    if sum(place.code == found[0].code for place in places) > 1:
        return text("robots.same_code", said=said, code=found[0].code)
    return found[0]


def _shown(places: Iterable[GroupArea]) -> str:
    return " / ".join(f"{place.code} {place.name}" for place in places)
