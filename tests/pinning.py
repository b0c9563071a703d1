"""`make pin`: write `constraints.txt`, every library and the hashes of its files, as the index tells.

What is pinned stays as it is, but for the libraries that are named. uv has an environment of its own, so that it is no
library of ours.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ROOT / "constraints.txt"
HEAD = "# Every library with the hashes of its files; `make pin` writes them. First what runs.\n"
MARK = "# Only for development and tests.\n"
# Name, version, hashes.
PIN = re.compile(r"^([\w.-]+)==([\w.]+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)


def main() -> None:
    """Pin what `pyproject.toml` asks for; `tests.pinning UV [LIBRARY…]`: newer versions of these."""
    uv, *newer = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        runs, all_of_it = Path(folder) / "runs.txt", Path(folder) / "all.txt"
        for path, more in ((runs, []), (all_of_it, ["--extra", "dev", "--constraint", str(runs)])):
            path.write_text(PINS.read_text())  # the versions to stay with
            kept = [word for name in newer for word in ("--upgrade-package", name)]
            command = ["pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
            platform = ["--python-version", "3.11", "--python-platform", "linux"]  # the hashes are every platform's
            subprocess.run(
                [uv, *command, *platform, *more, *kept, "--output-file", path, ROOT / "pyproject.toml"], check=True
            )
        first = [pin.group() for pin in PIN.finditer(runs.read_text())]
        then = [pin.group() for pin in PIN.finditer(all_of_it.read_text()) if pin.group() not in first]
    PINS.write_text(HEAD + "".join(first) + MARK + "".join(then))


if __name__ == "__main__":
    main()
