"""What an engine found damaged since it was opened: said in the log once, and never forgotten until a restart."""

from __future__ import annotations

import structlog

from storage.database import Damaged

log = structlog.get_logger()


class Damage:
    """Whether a damaged part was met."""

    def __init__(self) -> None:
        self.is_met = False

    def meet(self, error: Damaged) -> None:
        """A work has met a damaged part; the first one is said."""
        if not self.is_met:
            self.is_met = True
            log.error("database.damaged", where=error.where, error=str(error), action="restore a backup")
