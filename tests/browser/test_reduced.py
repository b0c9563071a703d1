"""Photos are made smaller in the browser, and still say where and when they were taken."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.ExifTags import IFD

from tests.browser.chat import file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LATEST = "SELECT * FROM media WHERE state = 'ready' ORDER BY created_ms DESC, id LIMIT 1"


def stamped(picture: Image.Image, orientation: int = 1) -> bytes:
    """A picture as a phone's camera writes it, with its place and time."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "maker"
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (35.0, 39.0, 5.4), 3: "E", 4: (104.0, 44.0, 4.2)})
    exif.get_ifd(IFD.Exif).update({0x9003: "2026:11:18 10:20:30"})
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=90, exif=exif.tobytes())
    return stored.getvalue()


def large_photo(orientation: int = 1) -> bytes:
    """Some megabytes of nothing but grain."""
    return stamped(Image.effect_noise((3000, 2000), 60).convert("RGB"), orientation)


@pytest.mark.parametrize("orientation", [1, 6])
async def test_a_large_photo_arrives_small_with_place_and_time(
    phone: PhoneMaker, program: Program, orientation: int
) -> None:
    aunt = await phone(agreed=True)
    content = large_photo(orientation)
    await aunt.sends_files(file_of(content))
    await aunt.sees("像是在")
    row = program.rows(LATEST)[0]
    assert row["size_bytes"] < len(content) / 3
    sides = (row["width_px"], row["height_px"])
    assert sides == ((2048, 1365) if orientation == 1 else (1365, 2048))
    assert (row["lat"], row["lng"]) == (35.6515, 104.7345)
    assert row["taken_ms"] == 1_794_968_430_000


async def test_what_a_browser_can_not_read_goes_whole(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    stored = io.BytesIO()
    Image.effect_noise((900, 900), 60).save(stored, "PNG")
    assert len(stored.getvalue()) > 400_000
    await aunt.sends_files(file_of(stored.getvalue(), "odd.png", "image/png"))
    await aunt.sees("在哪里")
    assert program.rows(LATEST)[0]["size_bytes"] == len(stored.getvalue())
