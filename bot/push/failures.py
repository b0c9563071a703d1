"""Where the key of pushes lies, and what is said of one that is none."""

from __future__ import annotations

from pathlib import Path

FILE = "vapid.pem"  # in DATA_DIR


class PushKeyDamaged(Exception):
    """The file of the key is no private key."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is no private key")
        self.path = path
