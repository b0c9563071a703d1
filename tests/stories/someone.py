"""A person in a story: what they do on whatever channel, and what they see of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from storage.database import Tx
from storage.people import people
from tests.fakes.pictures import photo

if TYPE_CHECKING:
    from tests.stories.town import Town


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a person sees it. `place`: what it is called in its chat; `changed`: it stands there instead of an
    earlier one.
    """

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    media: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    ask: str = ""
    place: str = ""
    changed: bool = False

    @property
    def labels(self) -> list[str]:
        """What the buttons say, in reading order."""
        return [label for label, _ in self.buttons]


class Driver(Protocol):
    """How one person reaches the program on one channel."""

    address: str
    called: str  # by the platform; "" on our own page

    async def says(self, words: str) -> None: ...
    async def taps(self, heard: Heard, label: str, data: str) -> None: ...
    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None: ...
    async def sends_place(self, lat: float, lng: float, accuracy_m: int = 20) -> None: ...
    async def starts(self, token: str) -> None: ...
    async def answered(self) -> None: ...
    async def looks(self) -> bool: ...


@dataclass
class Someone:
    """A person in the story."""

    town: Town
    name: str
    driver: Any
    heard: list[Heard] = field(default_factory=list)
    news: list[Heard] = field(default_factory=list)
    photos_sent: int = 0

    async def _act(self, sending: Any) -> None:
        self.town.begin()
        await sending
        await self.town.work()

    async def says(self, words: str) -> None:
        """Type words."""
        await self._act(self.driver.says(words))

    async def taps(self, label: str, on: Heard | None = None) -> None:
        """Press the newest button whose label contains `label` (on that message, if given)."""
        for heard in [on] if on else reversed(self.heard):
            for shown, data in heard.buttons:
                if label in shown:
                    await self._act(self.driver.taps(heard, shown, data))
                    return
        raise AssertionError(f"{self.name} sees no button {label!r}; last: {self.heard[-1:]}")

    async def taps_twice(self, label: str) -> None:
        """Press a button twice before the answer comes."""
        heard = next(h for h in reversed(self.heard) if any(label in shown for shown in h.labels))
        shown, data = next(pair for pair in heard.buttons if label in pair[0])
        self.town.begin()
        await self.driver.taps(heard, shown, data)
        await self.driver.taps(heard, shown, data)
        await self.town.work()

    async def sends_photo(self, n: int = 1, *, album: bool = False, caption: str = "", content: bytes = b"") -> None:
        """Send `n` photos, one by one or as an album."""
        first = self.photos_sent
        self.photos_sent += n
        photos = [content or photo(first + at) for at in range(n)]
        await self._act(self.driver.sends_photos(photos, album, caption))

    async def sends_place(self, lat: float, lng: float, accuracy_m: int = 20) -> None:
        """Share a position (WGS-84)."""
        await self._act(self.driver.sends_place(lat, lng, accuracy_m))

    async def starts(self, token: str = "") -> None:
        """Open a join link, or press START."""
        await self._act(self.driver.starts(token))

    def hears(self, heard: Sequence[Heard]) -> None:
        """Take what has come: at the end of the chat, or in the place of the message that it changes."""
        for one in heard:
            at = next((at for at, old in enumerate(self.heard) if one.changed and old.place == one.place), None)
            if at is None:
                self.heard.append(one)
            else:
                self.heard[at] = one
            self.news.append(one)

    def sees(self, *parts: str) -> Heard:
        """A message since the last action that contains every part."""
        for heard in reversed(self.news):
            if all(part in heard.text or any(part in label for label in heard.labels) for part in parts):
                return heard
        raise AssertionError(f"{self.name} does not see {parts}; sees: {[h.text for h in self.news]}")

    def sees_not(self, part: str) -> None:
        """No message since the last action contains the part."""
        seen = [heard.text for heard in self.news if part in heard.text]
        assert not seen, f"{self.name} sees {seen}"

    @property
    def last(self) -> Heard:
        """The newest message."""
        return self.heard[-1]

    async def person_id(self) -> int:
        """Their id in the database."""

        async def work(tx: Tx) -> int:
            row = await people.contact(tx, self.driver.address)
            assert row is not None, f"{self.name} has not written yet"
            return int(row["person_id"])

        return await self.town.app.database.read(work)
