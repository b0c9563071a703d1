"""What photos and videos are taken for, what they show, and what their copies still show."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.media.files import copies_of
from bot.media.pictures import THUMB_PX, VIEW_PX, FileFacts, UnusableFile, kind_by_content, prepare

SHANGHAI = ZoneInfo("Asia/Shanghai")
GPS, CAMERA = 0x8825, 0x8769


def exif(*, gps: dict[int, Any] | None = None, camera: dict[int, Any] | None = None, orientation: int = 1) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F] = "Zhang San's phone"
    if gps:
        found.get_ifd(GPS).update(gps)
    if camera:
        found.get_ifd(CAMERA).update(camera)
    return found.tobytes()


HERE = {1: "N", 2: (35.0, 30.0, 36.0), 3: "E", 4: (104.0, 37.0, 12.0)}


def picture(size: tuple[int, int] = (640, 480), form: str = "JPEG", mode: str = "RGB", **save: Any) -> bytes:
    image = Image.new(mode, size, 120 if mode in ("L", "P") else (90, 140, 60, 255)[: len(mode)])
    image.paste(200 if mode in ("L", "P") else (200, 30, 30, 255)[: len(mode)], (0, 0, size[0] // 2, size[1] // 4))
    stored = io.BytesIO()
    image.save(stored, form, **save)
    return stored.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def movie(*, cut: int = 0, place: bytes = b"\xa9xyz+35.5100+104.6200/", tail: bytes = b"") -> bytes:
    handler = box(b"hdlr", bytes(8) + b"meta" + bytes(12))
    track = box(b"trak", box(b"tkhd", bytes(84)) + box(b"udta", box(b"name", b"Wang's camera")))
    places = box(b"trak", box(b"mdia", handler + box(b"mdhd", b"GPS 35.51 104.62")))
    movie_box = box(b"moov", box(b"mvhd", bytes(100)) + track + places + box(b"udta", place) + box(b"meta", place))
    whole = box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"mdat", b"frames" * 500) + movie_box + tail
    return whole[: len(whole) - cut]


def look_at(folder: Path, content: bytes) -> FileFacts:
    """What a file is told to be; its copies lie in the folder then."""
    facts, copies = prepare(content, SHANGHAI)
    for path, copy in zip(copies_of(folder / "original"), (copies.view, copies.thumb, copies.full), strict=True):
        path.unlink(missing_ok=True)
        if copy is not None:
            path.write_bytes(copy)
    return facts


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(UnusableFile) as refused:
        look_at(folder, content)
    return refused.value.code


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGB")],
)
def test_every_kind_of_photo_gets_copies_that_any_phone_can_show(tmp_path: Path, form: str, mode: str) -> None:
    facts = look_at(tmp_path, picture((2000, 1000), form, mode))
    assert (facts.kind, facts.width_px, facts.height_px) == ("image", 2000, 1000)
    view, thumb = (Image.open(path) for path in copies_of(tmp_path / "original")[:2])
    assert (view.format, view.size) == ("JPEG", (VIEW_PX, VIEW_PX // 2))
    assert (thumb.format, thumb.size) == ("JPEG", (THUMB_PX, THUMB_PX // 2))
    view.close()
    thumb.close()


def test_a_phone_s_heic_is_a_photo(tmp_path: Path) -> None:
    import pillow_heif as heif

    stored = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (400, 300), "green")).save(stored, format="HEIF")
    facts = look_at(tmp_path, stored.getvalue())
    assert (facts.mime, facts.width_px, facts.height_px) == ("image/heic", 400, 300)


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    stored = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(stored, "PNG")
    look_at(tmp_path, stored.getvalue())
    with Image.open(copies_of(tmp_path / "original")[0]) as view:
        assert view.convert("RGB").getpixel((25, 25)) == (255, 255, 255)


def test_position_and_time_are_read_and_the_copies_do_not_show_them(tmp_path: Path) -> None:
    gps = {**HERE, 7: (2.0, 5.0, 9.0), 29: "2026:11:18"}
    facts = look_at(tmp_path, picture(exif=exif(gps=gps), comment=b"by Zhang San"))
    assert (facts.lat, facts.lng, facts.datum) == (35.51, 104.62, "WGS-84")
    assert facts.taken_ms == int(datetime(2026, 11, 18, 2, 5, 9, tzinfo=UTC).timestamp() * 1000)
    for path in copies_of(tmp_path / "original")[:2]:
        content = path.read_bytes()
        assert b"Exif" not in content and b"Zhang San" not in content
        with Image.open(path) as copy:
            assert not copy.getexif()


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_position_is_read_from_other_kinds_too(tmp_path: Path, form: str) -> None:
    facts = look_at(tmp_path, picture(form=form, exif=exif(gps=HERE)))
    assert (facts.lat, facts.lng) == (35.51, 104.62)
    assert b"Zhang San" not in copies_of(tmp_path / "original")[0].read_bytes()


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        ({0x9003: "2026:11:18 10:05:09"}, datetime(2026, 11, 18, 10, 5, 9, tzinfo=SHANGHAI)),
        ({0x9003: "2026:11:18 10:05:09", 0x9011: "+00:00"}, datetime(2026, 11, 18, 10, 5, 9, tzinfo=UTC)),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "1970:01:01 00:00:00"}, None),
        ({0x9003: "yesterday"}, None),
        ({0x9003: "2026:11:18 10:05:09", 0x9011: "+99:99"}, None),
    ],
)
def test_a_camera_s_own_time(tmp_path: Path, camera: dict[int, Any], expected: datetime | None) -> None:
    facts = look_at(tmp_path, picture(exif=exif(camera=camera)))
    assert facts.taken_ms == (int(expected.timestamp() * 1000) if expected else None)


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (104.0, 0.0, 0.0)},
        {1: "N", 2: (35.0,), 3: "E", 4: (104.0, 0.0, 0.0)},
        {3: "E", 4: (104.0, 0.0, 0.0)},
    ],
)
def test_a_position_that_can_t_be_is_none(tmp_path: Path, gps: dict[int, Any]) -> None:
    facts = look_at(tmp_path, picture(exif=exif(gps=gps)))
    assert (facts.lat, facts.lng, facts.datum) == (None, None, None)


def test_south_and_west_are_negative(tmp_path: Path) -> None:
    facts = look_at(tmp_path, picture(exif=exif(gps={**HERE, 1: "S", 3: "W"})))
    assert (facts.lat, facts.lng) == (-35.51, -104.62)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_copies_stand_upright(tmp_path: Path, orientation: int) -> None:
    """The red mark is in the upper left corner of the scene, however the camera was held."""
    upright = Image.new("RGB", (300, 200), "blue")
    upright.paste("red", (0, 0, 60, 60))
    held = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = io.BytesIO()
    (upright.transpose(held) if held is not None else upright).save(stored, "JPEG", exif=exif(orientation=orientation))
    facts = look_at(tmp_path, stored.getvalue())
    assert (facts.width_px, facts.height_px) == (300, 200)
    with Image.open(copies_of(tmp_path / "original")[0]) as view:
        assert view.size == (300, 200)
        red, _, blue = view.getpixel((20, 20))  # type: ignore[misc]
        assert red > 200 > 60 > blue


def zip_bytes() -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("photo.jpg", b"x" * 1000)
    return stored.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be enormous."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_picture"),
        (b"hello, I am a photo", "not_a_picture"),
        (zip_bytes(), "not_a_picture"),
        (b"%PDF-1.7 ...", "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not_a_picture"),
        (picture(form="GIF", mode="P"), "not_a_picture"),
        (b"\xff\xd8\xff" + zip_bytes(), "broken_picture"),
        (picture((3000, 2000), quality=95)[:-2000], "broken_picture"),
        (picture((900, 900), "PNG")[:-100], "broken_picture"),
        (picture((900, 900), "WEBP")[:-100], "broken_picture"),
        (bomb(50_000, 50_000), "picture_too_big"),
        (bomb(10_000, 10_000), "picture_too_big"),
        (bomb(2_000, 2_000), "broken_picture"),
        (movie(cut=50), "broken_video"),
        (movie(cut=900), "broken_video"),
        (box(b"ftyp", b"isom\0\0\2\0"), "broken_video"),
        (box(b"ftyp", b"isom\0\0\2\0") + struct.pack(">I", 4) + b"moov", "broken_video"),
    ],
)
def test_what_can_t_be_used_is_refused_by_its_content(tmp_path: Path, content: bytes, code: str) -> None:
    assert refusal(tmp_path, content) == code


def test_a_video_loses_its_place_and_names_and_keeps_its_frames(tmp_path: Path) -> None:
    content = movie()
    facts = look_at(tmp_path, content)
    assert (facts.kind, facts.mime) == ("video", "video/mp4")
    view, thumb, _ = copies_of(tmp_path / "original")
    copy = view.read_bytes()
    assert len(copy) == len(content) and b"frames" * 500 in copy
    assert not any(word in copy for word in (b"35.5", b"104.6", b"Wang", b"udta", b"meta"))
    assert not thumb.exists()


def test_what_a_phone_appends_to_a_video_is_cut_off(tmp_path: Path) -> None:
    look_at(tmp_path, movie(tail=b"SEFT place 35.51 104.62 and more"))
    assert b"35.51" not in copies_of(tmp_path / "original")[0].read_bytes()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypmp42", "mp4"),
        (b"\0\0\0\x18ftypiso5", "mp4"),
        (b"\0\0\0\x18ftyp3gp5", "3gp"),
        (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"\0\0\0\x18ftypheic", "heif"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "webm"),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x88matroska", ""),
        (b"MZ\x90\0", ""),
    ],
)
def test_kinds_by_content(head: bytes, kind: str) -> None:
    assert kind_by_content(head) == kind


SEEDS = [picture((80, 60), exif=exif(gps=HERE)), picture((40, 40), "PNG", "RGBA"), picture((40, 40), "WEBP"), movie()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), at=st.integers(0, 4000), patch=st.binary(min_size=1, max_size=12))
def test_damaged_files_are_used_or_refused_and_nothing_else(tmp_path: Path, seed: bytes, at: int, patch: bytes) -> None:
    at %= len(seed)
    damaged = seed[:at] + patch + seed[at + len(patch) :]
    try:
        facts = look_at(tmp_path, damaged)
    except UnusableFile as refused:
        assert refused.code in {"not_a_picture", "broken_picture", "picture_too_big", "broken_video"}
    else:
        assert facts.kind in ("image", "video")
