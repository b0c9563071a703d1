"""What a photo or video really is, what it shows of place and time, and copies of it that show neither.

Everything here works on a file in memory, in a thread of its own: nothing of it lies on a disk unsealed. The type is
told by the content, the size in pixels by the header, before anything is decoded.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from PIL import Image, ImageFile

from bot.media import cut_off, videos
from bot.media.likeness import likeness_of

VIEW_PX, THUMB_PX = 1600, 320
VIEW_QUALITY, THUMB_QUALITY = 80, 70
FULL_SIDES_PX = 10_000  # width and height together: more is shown nowhere, and takes 75 MB to look at
FULL_BYTES = 9_500_000
FULL_QUALITIES = (88, 78, 65)
VIEW_MIME = "image/jpeg"
# A JPEG is decoded at a fraction of its size, the others (and a progressive JPEG's coefficients) as a whole.
MAX_SCALED_PX, MAX_WHOLE_PX = 120_000_000, 26_000_000
FORMATS = {"jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "heif": ("HEIF",)}
MIMES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "heif": "image/heic"}
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
ORIENTATION, DATE_TIME, GPS_IFD, EXIF_IFD = 0x0112, 0x0132, 0x8825, 0x8769
DATE_ORIGINAL, OFFSET_ORIGINAL, OFFSET_TIME = 0x9003, 0x9011, 0x9010
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = tuple(TURNS[orientation] for orientation in (5, 6, 7, 8))  # width and height change places
FIRST_YEAR = 1990

Image.MAX_IMAGE_PIXELS = MAX_SCALED_PX  # for decoders that allocate while they open; `_check_size` is stricter


class UnusableFile(Exception):
    """The file can't be used; `error.media.<code>` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is kept of a file. Position in WGS-84 degrees; None when it shows none. `likeness`: see that module."""

    kind: Literal["image", "video"]
    mime: str
    width_px: int | None = None
    height_px: int | None = None
    lat: float | None = None
    lng: float | None = None
    datum: str | None = None
    taken_ms: int | None = None
    likeness: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object of all fields."""
        return asdict(self)


def kind_by_content(head: bytes) -> str:
    """jpeg, png, webp, heif, mp4, 3gp, mov or webm by the first 64 bytes; "" for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        return "heif"
    return videos.kind_by_content(head)


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of a file: for viewing, the small one of a picture, and that in full size if one was wanted."""

    view: bytes
    thumb: bytes | None = None
    full: bytes | None = None


def prepare(
    content: bytes, zone: ZoneInfo, largest_px: int = MAX_SCALED_PX, *, full: bool = False
) -> tuple[FileFacts, Copies]:
    """Check a received file and make its copies, one in `full` size if that is wanted. Raises UnusableFile.

    `zone` is for a camera's time that names none; `largest_px` is the policy's limit, ours come on top of it.
    """
    name = kind_by_content(content[:64])
    if name in videos.MIMES:
        return _prepare_video(content, name)
    if name not in FORMATS:
        raise UnusableFile("not_a_picture")
    return _prepare_image(content, name, zone, largest_px, full)


def _prepare_video(content: bytes, name: str) -> tuple[FileFacts, Copies]:
    try:
        return FileFacts("video", videos.MIMES[name]), Copies(videos.stripped(content, name))
    except videos.Broken:
        raise UnusableFile("broken_video") from None


def _prepare_image(content: bytes, name: str, zone: ZoneInfo, largest_px: int, full: bool) -> tuple[FileFacts, Copies]:
    if name == "heif":
        _learn_heif()
    try:
        try:
            return _read_image(content, name, zone, largest_px, full)
        except OSError:
            whole = cut_off.with_end(content, FORMATS[name], (VIEW_PX, VIEW_PX)) if name == "jpeg" else None
            if whole is None:
                raise
            return _read_image(whole, name, zone, largest_px, full)
    except UnusableFile:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnusableFile("picture_too_big") from None
    except Exception:  # Pillow's decoders raise a dozen kinds for bytes that lie
        raise UnusableFile("broken_picture") from None


def _read_image(content: bytes, name: str, zone: ZoneInfo, largest_px: int, full: bool) -> tuple[FileFacts, Copies]:
    with Image.open(io.BytesIO(content), formats=FORMATS[name]) as picture:
        _check_size(picture, largest_px)
        width_px, height_px = picture.size
        exif = _exif(picture)
        seen = evidence(exif, zone)
        turn = TURNS.get(_whole(exif.get(ORIENTATION)))
        if turn in LYING:
            width_px, height_px = height_px, width_px
        copies, likeness = _make_copies(picture, turn, full)
    return FileFacts("image", MIMES[name], width_px, height_px, *seen, likeness), copies


def _learn_heif() -> None:
    """Load the decoder when the first such photo comes: it costs memory that most townships never need."""
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)


def _check_size(picture: ImageFile.ImageFile, largest_px: int) -> None:
    scaled = picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
    width_px, height_px = picture.size
    if width_px * height_px > min(largest_px, MAX_SCALED_PX if scaled else MAX_WHOLE_PX):
        raise UnusableFile("picture_too_big")
    if min(width_px, height_px) < 1:
        raise UnusableFile("broken_picture")


def _make_copies(picture: ImageFile.ImageFile, turn: Image.Transpose | None, full: bool) -> tuple[Copies, str | None]:
    """Pixels only: a new picture carries no EXIF, no XMP, no comment, no profile. And what it looks like."""
    largest = _full_size(picture.size) if full else (VIEW_PX, VIEW_PX)
    picture.draft("RGB", largest)
    picture.load()
    small: Image.Image = picture
    profile = picture.info.get("icc_profile")
    if picture.mode == "CMYK" and profile:
        small = in_srgb(small, profile)
    if small.mode not in ("RGB", "L", "RGBA"):
        clear = picture.mode in ("LA", "PA", "La", "RGBa") or "transparency" in picture.info
        small = picture.convert("RGBA" if clear else "RGB")
    small.thumbnail(largest, Image.Resampling.LANCZOS, reducing_gap=2.0)
    small = _on_white(small)
    if profile and picture.mode != "CMYK":
        small = in_srgb(small, profile)
    if turn is not None:
        small = small.transpose(turn)
    small.info = {}
    large = _full(small) if full else None
    if full:
        small.thumbnail((VIEW_PX, VIEW_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
    view = _jpeg(small, quality=VIEW_QUALITY, progressive=True, optimize=True)
    small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    thumb = _jpeg(small, quality=THUMB_QUALITY, optimize=True)
    return Copies(view, thumb, large), likeness_of(small)


def _jpeg(picture: Image.Image, **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", **how)
    return file.getvalue()


def _full_size(size: tuple[int, int]) -> tuple[int, int]:
    """The sides of a copy in full size: those of the picture, unless it is so large that no channel shows it."""
    share = min(1.0, FULL_SIDES_PX / sum(size))
    width_px, height_px = (max(1, int(side * share)) for side in size)
    return width_px, height_px


def _full(picture: Image.Image) -> bytes:
    """The copy in full size, as good as fits."""
    content = b""
    for quality in FULL_QUALITIES:
        content = _jpeg(picture, quality=quality)
        if len(content) <= FULL_BYTES:
            break
    return content


def in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture in the colours that every screen takes for granted; as it is where its profile is of no use."""
    from PIL import ImageCms  # most photos come without a profile of their own

    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ours = ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(picture, theirs, ours, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return picture if found is None else found


def _on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("L" if picture.mode == "L" else "RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    return ground


def _exif(picture: Image.Image) -> Image.Exif:
    try:
        return picture.getexif()
    except Exception:  # a picture with an unreadable EXIF block is still a picture
        return Image.Exif()


def evidence(exif: Image.Exif, zone: ZoneInfo) -> tuple[float | None, float | None, str | None, int | None]:
    """(lat, lng, datum, taken_ms) as the camera wrote them, None where it wrote nothing that can be believed."""
    gps, camera = _ifd(exif, GPS_IFD), _ifd(exif, EXIF_IFD)
    lat, lng = _degrees(gps.get(2), gps.get(1), "S", 90), _degrees(gps.get(4), gps.get(3), "W", 180)
    taken_ms = _gps_time(gps) or _camera_time(exif, camera, zone)
    if lat is None or lng is None or (abs(lat) < 1e-6 and abs(lng) < 1e-6):
        return None, None, None, taken_ms
    return round(lat, 6), round(lng, 6), "WGS-84", taken_ms


def _ifd(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except Exception:  # see _exif
        return {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "ignore")
    return value.strip("\0 ") if isinstance(value, str) else ""


def _degrees(value: Any, side: Any, negative: str, limit: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    angle = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(angle) or not 0 <= angle <= limit:
        return None
    return -angle if _text(side).upper().startswith(negative) else angle


def _gps_time(gps: Mapping[int, Any]) -> int | None:
    """The satellites' time, which is UTC."""
    try:
        hour, minute, second = (int(float(part)) for part in gps.get(7, ()))
        moment = datetime.strptime(_text(gps.get(29)), "%Y:%m:%d").replace(hour=hour, minute=minute, tzinfo=UTC)
        return _believed(moment + timedelta(seconds=second))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None


def _camera_time(exif: Image.Exif, camera: Mapping[int, Any], zone: ZoneInfo) -> int | None:
    said = _text(camera.get(DATE_ORIGINAL)) or _text(exif.get(DATE_TIME))
    offset = _text(camera.get(OFFSET_ORIGINAL)) or _text(camera.get(OFFSET_TIME))
    try:
        moment = datetime.strptime(said[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
        if offset:
            moment = moment.replace(tzinfo=_offset(offset))
        return _believed(moment)
    except (ValueError, OverflowError):
        return None


def _offset(said: str) -> timezone:
    sign = -1 if said.startswith("-") else 1
    hours, _, minutes = said.lstrip("+-").partition(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))


def _believed(moment: datetime) -> int | None:
    return int(moment.timestamp() * 1000) if moment.year >= FIRST_YEAR else None
