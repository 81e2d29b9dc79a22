"""Part of `make install`: a browser for gate 6, where none is installed. Never fails; one line says what is missing."""

import subprocess
import sys
from contextlib import suppress

from atlas_access.smoke import MISSING, find_chromium

_SECONDS = 60


def main() -> None:
    """Let Playwright download its own browser, unless one is found."""
    if find_chromium():
        return
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - this Python
    if not find_chromium():
        sys.stdout.write(f"Installed; but {MISSING}. Everything else runs.\n")


if __name__ == "__main__":
    main()
