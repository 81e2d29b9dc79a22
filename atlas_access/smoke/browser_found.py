"""Finds a Chromium that is installed, and says with which flags it is driven. Nobody's profile is used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
DOWNLOADED = ("chrome", "headless_shell", "chrome-headless-shell", "Chromium.app/Contents/MacOS/Chromium")
INSTALL = f"install Chromium (apt-get install chromium), or name one in {VARIABLE}"
MISSING = f"no browser is installed here, so gate 6 cannot be run: {INSTALL}"

_OFF = (
    # What the driver turns off: the last list given counts alone, so ours repeats it (a test compares the two).
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *(
        "TcpPortRandomizationWin",
        "ThirdPartyStoragePartitioning",
        "msEdgeUpdateLaunchServicesPreferredVersion",
    ),
    "msForceBrowserSignIn",
    # Each window renders a page for its address bar, which nobody sees and which costs more than a whole journey.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    "SpareRendererForSitePerProcess",
)

FLAGS = (
    "--headless",
    f"--disable-features={','.join(_OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
#: In the sandbox no name is resolved but this machine's, whatever asks: redirects, workers and sockets included.
SANDBOX_FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]",
)


def find_chromium(environment: Mapping[str, str] | None = None) -> str:
    """The path of a browser: CHROMIUM, else the first known name on PATH, else Playwright's download; "" for none."""
    held = os.environ if environment is None else environment
    path = held.get("PATH", os.defpath)
    if named := held.get(VARIABLE, "").strip():
        return shutil.which(named, path=path) or ""
    if found := next((found for name in NAMES if (found := shutil.which(name, path=path))), ""):
        return found
    home = Path(held.get("HOME", "/nonexistent"))
    own = held.get("PLAYWRIGHT_BROWSERS_PATH", "")
    folders = [Path(own)] if own else [home / ".cache/ms-playwright", home / "Library/Caches/ms-playwright"]
    downloads = (
        each for folder in folders for name in DOWNLOADED for each in folder.glob(f"chromium*/*/{name}")
    )
    return max((str(each) for each in downloads if os.access(each, os.X_OK)), default="")
