"""A headless Chromium for those who look at a report without a test: benchmarks and screenshots."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip


def missing() -> str:
    """Return what has to be installed before a report can be opened, "" where everything is there."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium (extra test) is not installed"
    there = _chromium() and shutil.which("chromedriver")
    return "" if there else "Chromium and chromedriver are not installed"


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a selenium driver of a window of its own, and close it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = _chromium() or ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1300,900"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
        driver.set_script_timeout(120)
        driver.set_page_load_timeout(120)
        # The page's own clock starts at the navigation; what it shows when it is ready is kept.
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WHEN_READY})
        try:
            yield driver
        finally:
            driver.quit()


_WHEN_READY = """
new MutationObserver(() => {
  if (!window.readyAfter && document.documentElement?.dataset.ready === "yes") window.readyAfter = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });
"""


def resize(driver: Any, width: int, height: int, *, mobile: bool = False) -> None:
    """Set the size of the window's inside, in CSS pixels."""
    size = {"width": width, "height": height, "deviceScaleFactor": 2 if mobile else 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def open_report(driver: Any, path: Path) -> float:
    """Open a report anew and return the seconds from the navigation until it is ready."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get("about:blank")
    driver.get(path.resolve().as_uri())
    WebDriverWait(driver, 120, 0.05).until(lambda d: d.execute_script("return window.readyAfter"))
    return float(driver.execute_script("return window.readyAfter")) / 1000


def picture(
    driver: Any, file: Path, *, height: float | None = None, width: float | None = None, top: float = 0
) -> None:
    """Save what the window shows, or with `height` so much of the page from `top` on (at most 16,000 px)."""
    asked: dict[str, Any] = {"format": "png"}
    if height is not None:
        clip = {
            "x": 0,
            "y": top,
            "width": width or driver.execute_script("return innerWidth"),
            "height": min(height, 16_000),
            "scale": 1,
        }
        asked |= {"captureBeyondViewport": True, "clip": clip}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]))


def printed(driver: Any) -> bytes:
    """Return the page as a PDF on A4, as a reader prints it."""
    asked = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True, "marginTop": 0.5, "marginBottom": 0.5,
             "marginLeft": 0.5, "marginRight": 0.5}  # fmt: skip
    return base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", asked)["data"])
