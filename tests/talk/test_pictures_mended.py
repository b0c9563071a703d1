"""Photos that are not quite as the standard says, and what a photo looks like however it was sent."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from bot.media.files import copies_of
from bot.media.likeness import likeness_of
from storage.photos.compared import looks_alike
from tests.talk.test_pictures import exif, look_at, picture, refusal


def scene(seed: int = 1, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A heap of things, another one for another seed."""
    dice = random.Random(seed)
    image = Image.new("RGB", size, (150, 170, 190))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        left, top = dice.randrange(size[0]), dice.randrange(size[1])
        width, height = dice.randrange(20, 120), dice.randrange(20, 90)
        colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        draw.ellipse((left, top, left + width, top + height), fill=colour)
    return image


def stored(image: Image.Image, form: str = "JPEG", **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **save)
    return file.getvalue()


def shown(folder: Path) -> Image.Image:
    with Image.open(copies_of(folder / "original")[0]) as view:
        return view.copy()


# ── a file that ends too early

WHOLE = stored(scene(), quality=85)
PASSES = stored(scene(), quality=85, progressive=True)


@pytest.mark.parametrize("content", [WHOLE, PASSES, stored(scene().convert("L")), stored(scene().convert("CMYK"))])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_without_its_last_bytes_is_shown(tmp_path: Path, content: bytes, cut: int) -> None:
    look_at(tmp_path, content)
    before = shown(tmp_path)
    facts = look_at(tmp_path, content[:-cut])
    assert (facts.width_px, facts.height_px) == (320, 240)
    assert ImageChops.difference(before, shown(tmp_path)).getbbox() is None


@pytest.mark.parametrize("content", [WHOLE[:-200], WHOLE[: len(WHOLE) // 2], PASSES[:800], WHOLE[:30], WHOLE[:2]])
def test_one_whose_rows_are_missing_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) in ("broken_picture", "not_a_picture")


def test_of_a_picture_in_passes_all_rows_are_there_after_the_first(tmp_path: Path) -> None:
    look_at(tmp_path, PASSES)
    before = shown(tmp_path)
    look_at(tmp_path, PASSES[: len(PASSES) * 3 // 4])
    assert max(high for _, high in ImageChops.difference(before, shown(tmp_path)).getextrema()) < 200


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 5), cut=st.integers(1, 400), quality=st.sampled_from([30, 75, 95]))
def test_whatever_is_cut_off_what_is_shown_is_the_whole_picture(
    tmp_path: Path, seed: int, cut: int, quality: int
) -> None:
    content = stored(scene(seed), quality=quality)
    look_at(tmp_path, content)
    before = shown(tmp_path)
    try:
        look_at(tmp_path, content[:-cut])
    except Exception as refused:
        assert getattr(refused, "code", "") == "broken_picture" and cut > 2
    else:
        assert ImageChops.difference(before, shown(tmp_path)).getbbox() is None


# ── orientation and colours


@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_an_orientation_that_there_is_not_is_none(tmp_path: Path, orientation: int) -> None:
    facts = look_at(tmp_path, picture((300, 200), exif=exif(orientation=orientation)))
    assert (facts.width_px, facts.height_px) == (300, 200)
    assert shown(tmp_path).size == (300, 200)


GAMMA = 2.2
P3_TO_XYZ = ((0.51512, 0.29198, 0.15710), (0.24120, 0.69225, 0.06657), (-0.00105, 0.04189, 0.78407))
XYZ_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


def display_p3() -> bytes:
    """A profile of these primaries (D50), with a gamma of 2.2."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)

    def point(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + fixed(*values)

    columns = list(zip(*P3_TO_XYZ, strict=True))
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(GAMMA * 256)) + bytes(2)
    tags = {b"wtpt": point(0.9642, 1.0, 0.8249)}
    for name, column in zip((b"r", b"g", b"b"), columns, strict=True):
        tags |= {name + b"XYZ": point(*column), name + b"TRC": curve}
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(data), len(content))
        data += content
    head = struct.pack(">I4sI4s4s4s", at + len(data), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def as_srgb(colour: tuple[int, int, int]) -> list[int]:
    """A colour of that profile as sRGB has it."""
    linear = [(one / 255) ** GAMMA for one in colour]
    xyz = [sum(factor * one for factor, one in zip(row, linear, strict=True)) for row in P3_TO_XYZ]
    out = [min(1.0, max(0.0, sum(f * one for f, one in zip(row, xyz, strict=True)))) for row in XYZ_TO_SRGB]
    return [round(255 * (12.92 * one if one <= 0.0031308 else 1.055 * one ** (1 / 2.4) - 0.055)) for one in out]


@pytest.mark.parametrize("form", ["HEIF", "JPEG", "PNG"])
@pytest.mark.parametrize("colour", [(230, 60, 50), (60, 200, 80), (128, 128, 128)])
def test_colours_of_a_wider_screen_are_shown_as_they_were(
    tmp_path: Path, form: str, colour: tuple[int, int, int]
) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    plain = {"quality": 100} if form == "JPEG" else {"quality": -1} if form == "HEIF" else {}
    look_at(tmp_path, stored(Image.new("RGB", (64, 64), colour), form, icc_profile=display_p3(), **plain))
    view = shown(tmp_path)
    seen = view.convert("RGB").getpixel((32, 32))
    assert isinstance(seen, tuple) and "icc_profile" not in view.info
    assert all(abs(one - other) <= 4 for one, other in zip(seen, as_srgb(colour), strict=True)), (seen, as_srgb(colour))
    if colour != (128, 128, 128):
        assert any(abs(one - other) > 4 for one, other in zip(seen, colour, strict=True))


@pytest.mark.parametrize("profile", [b"no profile at all", display_p3()[:100], b"\0" * 200])
def test_a_profile_that_is_none_spoils_no_photo(tmp_path: Path, profile: bytes) -> None:
    look_at(tmp_path, stored(Image.new("RGB", (64, 64), (200, 30, 30)), icc_profile=profile))
    red, green, _ = shown(tmp_path).getpixel((32, 32))  # type: ignore[misc]
    assert abs(red - 200) < 6 and abs(green - 30) < 6


# ── what it looks like


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(1, 10_000),
    quality=st.integers(25, 95),
    width=st.integers(240, 1_200),
    form=st.sampled_from(["JPEG", "WEBP"]),
)
def test_a_picture_sent_again_looks_the_same(seed: int, quality: int, width: int, form: str) -> None:
    first = scene(seed, (800, 600))
    again = Image.open(io.BytesIO(stored(first.resize((width, width * 3 // 4)), form, quality=quality)))
    one, other = likeness_of(first), likeness_of(again)
    assert one is not None and other is not None and looks_alike(one, other)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@settings(max_examples=100, deadline=None)
def test_another_picture_does_not(seed: int, other_seed: int) -> None:
    one, other = likeness_of(scene(seed)), likeness_of(scene(other_seed))
    assert one is not None and other is not None
    assert looks_alike(one, other) == (seed == other_seed)


@pytest.mark.parametrize("colour", ["black", "white", (40, 90, 10)])
def test_where_there_is_nothing_to_see_nothing_is_alike(colour: Any) -> None:
    assert likeness_of(Image.new("RGB", (200, 150), colour)) is None
