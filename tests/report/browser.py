"""A real Chromium that opens a report from its file, as a reader does."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from tools.chromium import FLAGS

WIDE, NARROW = 1280, 400


def require_chromium() -> tuple[str, str]:
    """Return the programs; skips, or where TUNESHIFT_REQUIRE_BROWSER is set fails, without them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium and driver:
        return chromium, driver
    said = "Chromium and chromedriver are not installed: the report was not opened in a browser"
    if os.environ.get("TUNESHIFT_REQUIRE_BROWSER"):
        pytest.fail(f"TUNESHIFT_REQUIRE_BROWSER is set. {said}.")
    pytest.skip(f"{said}.")


class Page:
    """One window. `open` starts afresh: full filters, light colours, nothing in the log."""

    def __init__(self, folder: Path) -> None:
        chromium, driver = require_chromium()
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={WIDE},900"):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_script_timeout(60)
        self.folded = False

    def open(self, path: Path, width: int = WIDE, *, dark: bool = False, folded: bool = False) -> Page:
        """Open a report; the page is ready when this returns, and unfolded unless it is wanted as it comes."""
        self.folded = folded
        self.driver.get("about:blank")
        self.log()
        self.requests()
        for file in self.downloads.iterdir():
            file.unlink()
        self.width(width)
        self._get(path)
        if dark != (self.js("return document.documentElement.dataset.theme") == "dark"):
            self.driver.find_element("id", "theme").click()
            self._get(path)  # the page remembers the choice; the click's focus is gone
        return self

    def _get(self, path: Path) -> None:
        self.driver.get("about:blank")
        self.driver.get(path.as_uri())
        self.wait(lambda: self.js("return document.documentElement.dataset.ready === 'yes'"), "the page is ready")
        if not self.folded:
            self.js("for (const fold of document.querySelectorAll('details.fold')) fold.open = true")

    def width(self, width: int) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def js(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def wait(self, happened: Callable[[], Any], what: str, seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := happened()):
            assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
            time.sleep(0.05)
        return found

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key)).perform()

    def log(self) -> list[str]:
        """Return the console's errors and warnings since last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """Return every address that the page was let ask for since last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        refused = {e["params"]["requestId"] for e in events if e["params"].get("blockedReason") == "csp"}
        sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [asked["request"]["url"] for asked in sent if asked["requestId"] not in refused]

    def scroll_through(self, section: str) -> None:
        """Scroll a section past the window, so that everything in it is drawn."""
        self.js("document.getElementById(arguments[0]).scrollIntoView()", section)
        while not self.js(
            "window.scrollBy(0, 700); return document.getElementById(arguments[0]).getBoundingClientRect().bottom < innerHeight"
            " || scrollY + innerHeight >= document.documentElement.scrollHeight - 2",
            section,
        ):
            time.sleep(0.03)
        undrawn = (
            "const all = [...document.querySelectorAll('#' + arguments[0] + ' .plot, #' + arguments[0] + ' [data-picture]')];"
            "return all.every((place) => place.querySelector('.main-svg, canvas, .head, .card'))"
        )
        self.wait(lambda: self.js(undrawn, section), f"every figure of {section} is drawn")

    def sections(self) -> list[str]:
        found: list[str] = self.js("return [...document.querySelectorAll('main > section')].map((s) => s.id)")
        return found

    def screenshot(self, section: str, file: Path) -> None:
        """Save a picture of a whole section (at most 6,000 px of it)."""
        x, y, wide, high = self.js(
            "const r = document.getElementById(arguments[0]).getBoundingClientRect();"
            "return [r.x + scrollX, r.y + scrollY, r.width, r.height]",
            section,
        )
        clip = {"x": max(0, x - 16), "y": y, "width": wide + 32, "height": min(high, 6000), "scale": 1}
        self.js("document.getElementById('filters').style.visibility = 'hidden'")
        made = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        self.js("document.getElementById('filters').style.visibility = ''")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(made["data"]))

    def downloaded(self, ending: str) -> Path:
        """Wait for a saved file with that ending and return it."""
        ready = lambda: [f for f in self.downloads.iterdir() if f.name.endswith(ending) and f.stat().st_size]  # noqa: E731
        return self.wait(ready, f"a file {ending} is saved")[0]
