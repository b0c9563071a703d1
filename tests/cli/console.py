"""`python -m bot …` in this process, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import app


class Console:
    """A terminal whose environment holds the folder, and what else is given."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            "DATA_DIR": str(folder),
            "PUBLIC_URL": "https://chat.example",
            "LOG_LEVEL": "ERROR",
            **environment,
        }

    def says(self, *words: object, typed: str = "") -> Result:
        """Run a command and answer what it asks; its exit code and everything it printed."""
        return CliRunner().invoke(app, [str(word) for word in words], env=self.environment, input=typed)

    def done(self, *words: object) -> str:
        """What a command that worked printed."""
        result = self.says(*words)
        assert result.exit_code == 0, result.output
        return result.output

    def refused(self, *words: object) -> str:
        """What a command that did not work said, on one line."""
        result = self.says(*words)
        assert result.exit_code == 1, result.output
        lines: list[str] = result.output.strip().splitlines()
        assert len(lines) == 1, lines
        return lines[0]
