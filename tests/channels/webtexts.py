"""The web chat's and the machine's own texts, without those of the capabilities."""

from __future__ import annotations

import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.i18n import LOCALES, Catalogues


def web_catalogues(folder: Path) -> Catalogues:
    """Both languages of `web.po` and `machine.po`, copied into `folder`."""
    for language in ("zh_CN", "en"):
        (folder / language).mkdir(parents=True)
        for name in ("web.po", "machine.po"):
            shutil.copy(LOCALES / language / name, folder / language)
    return Catalogues(ZoneInfo("Asia/Shanghai"), folder=folder)
