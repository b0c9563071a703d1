"""Settings as the operator wrote them: `.env` that is no text, names that no setting has."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values

from bot.console.words import OperatorError, say
from bot.settings import ENV_FILE, Settings

NEAR = 0.85  # PUBLIC_ULR and WEBPORT are nearer to what they should be; XDG_DATA_DIRS and LANG are not


def read_settings() -> tuple[Settings, list[str]]:
    """The settings, and a remark for each name in the environment or `.env` that is none, but may be meant as one.

    A name in `.env` that is nearly a setting's stops everything: that file is ours, so the name is a mistake. Raises
    OperatorError and ValidationError.
    """
    written = names_written(Path(ENV_FILE))
    misspelt = [(name, near) for name in written if (near := nearest(name))]
    if misspelt:
        raise OperatorError("misspelt", lines="\n".join(_said(name, near, ENV_FILE) for name, near in misspelt))
    others = [name for name in os.environ if name.upper() not in known()]
    remarks = [_said(name, near, say("settings.environment")) for name in others if (near := nearest(name))]
    remarks += [say("settings.unknown", name=name, file=ENV_FILE) for name in written if name.upper() not in known()]
    return Settings(), remarks


def names_written(file: Path) -> list[str]:
    """The names in a file of settings, in their order. Raises OperatorError for one that is no UTF-8."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return []
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise OperatorError("settings_encoding", file=file, line=line) from None
    return list(dotenv_values(file, encoding="utf-8-sig", interpolate=False))


def known() -> set[str]:
    """The names of all settings."""
    return {name.upper() for name in Settings.model_fields}


def nearest(name: str) -> str:
    """The setting that a name which is none is nearly the same as; "" for one that is one, or like none."""
    said = name.strip().upper()
    return "" if said in known() else nearest_of(said, known())


def nearest_of(said: str, names: Iterable[str]) -> str:
    """The nearest of some names, without regard to their underscores; "" when none is near."""
    plain = {one.replace("_", ""): one for one in sorted(names)}
    found = difflib.get_close_matches(said.replace("_", "").replace("-", ""), plain, n=1, cutoff=NEAR)
    return plain[found[0]] if found else ""


def _said(name: str, near: str, where: str) -> str:
    return say("settings.misspelt", name=name, near=near, where=where)
