"""The web chat's own texts, without those of the capabilities."""

from __future__ import annotations

import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.i18n import LOCALES, Catalogues


def web_catalogues(folder: Path) -> Catalogues:
    """Both languages of `web.po`, copied into `folder`."""
    for language in ("zh_CN", "en"):
        (folder / language).mkdir(parents=True)
        shutil.copy(LOCALES / language / "web.po", folder / language)
    return Catalogues(ZoneInfo("Asia/Shanghai"), folder=folder)
