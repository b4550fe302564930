"""A real browser: Debian's Chromium, headless, driven by playwright. What a page asks of other hosts is refused and kept."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 8_000  # ms


@contextmanager
def chromium() -> Iterator:
    """Yield a started browser; without Chromium the test is skipped, unless WARRAQ_BROWSER=required forbids it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("WARRAQ_BROWSER") == "required":
            pytest.fail("There is no Chromium on this machine, and skipping is forbidden.")
        pytest.skip("There is no Chromium on this machine (Debian: apt-get install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """A page of a browser, with all that it asked of others, said in its console, and threw."""

    def __init__(self, browser, base: str, **options) -> None:
        self.base, self.elsewhere, self.errors, self.console = base, [], [], []
        self.context = browser.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.context.route("**/*", self._watch)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _watch(self, route) -> None:
        if route.request.url.startswith((self.base, "data:", "blob:")):
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()

    def _hear(self, message) -> None:
        self.console.append(message.text)
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, path: str):
        """Go to a path; returns the page when nothing is asked any more."""
        response = self.page.goto(self.base + path, wait_until="load")
        self.status = response.status if response else None
        return self.page

    def faults(self) -> list[str]:
        """What axe-core finds wrong with the page as it is: rule, element and reason."""
        from axe_playwright_python.sync_playwright import Axe

        found = (
            Axe().run(self.page, options={"runOnly": {"type": "tag", "values": AXE}}).response["violations"]
        )
        return [
            f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
            for each in found
            for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def until(self, condition: str) -> None:
        """Wait until an expression is true of the page; the page's own policy forbids it to evaluate any."""
        deadline = time.monotonic() + PATIENCE / 1_000
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"it never came: {condition}"
            time.sleep(0.02)

    def settled(self) -> None:
        """Wait until a list that changes in place has changed."""
        self.until("!document.querySelector('[aria-busy]')")

    def close(self) -> None:
        self.context.close()
