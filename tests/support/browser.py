"""A real browser: Debian's Chromium, headless, driven by playwright. What a page asks of other hosts is refused and kept."""

import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MEDIA = {"media": "null", "color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none"}
PATIENCE = 8_000  # ms


class Tabs:
    """The tabs of a browser, used by one reader after another: a new one starts a process, which takes a second."""

    def __init__(self, browser) -> None:
        self._browser, self._free = browser, defaultdict(list)

    def take(self, **options):
        """A page that no reader has, of a context with these options, which cannot change."""
        free = self._free[tuple(sorted(options.items()))]
        return free.pop() if free else self._browser.new_context(**options).new_page()

    def give_back(self, page, **options) -> None:
        """Have the next reader find nothing of the last one; the page shows a text of the same server."""
        for other in page.context.pages:
            if other != page:
                other.close()
        page.evaluate("[localStorage, sessionStorage].forEach(each => each.clear())")
        page.context.clear_cookies()
        page.context.clear_permissions()
        page.mouse.move(0, 0)
        self._free[tuple(sorted(options.items()))].append(page)


@contextmanager
def chromium() -> Iterator[Tabs]:
    """Yield the tabs of a started browser; without Chromium the test is skipped, unless WARRAQ_BROWSER=required forbids it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("WARRAQ_BROWSER") == "required":
            pytest.fail("There is no Chromium on this machine, and skipping is forbidden.")
        pytest.skip("There is no Chromium on this machine (Debian: apt-get install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield Tabs(browser)
        finally:
            browser.close()


class Reader:
    """A page of a browser, with all that it asked of others, said in its console, and threw."""

    def __init__(
        self, tabs: Tabs, base: str, *, viewport=None, permissions=(), locale="en-GB", scripts=True, **media
    ) -> None:
        self.base, self.elsewhere, self.errors, self.console = base, [], [], []
        self._tabs, self._options = tabs, {"locale": locale, "java_script_enabled": scripts}
        self.page = tabs.take(**self._options)
        self.context = self.page.context
        self.page.set_default_timeout(PATIENCE)
        self.page.set_viewport_size(viewport or WIDE)
        self.page.emulate_media(**(MEDIA | media))
        self.context.grant_permissions(permissions, origin=base)
        self._heard = {"pageerror": self._threw, "console": self._hear, "dialog": self._asked}
        for event, hear in self._heard.items():
            self.page.on(event, hear)
        self.context.route("**/*", self._watch)

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

    def _threw(self, error) -> None:
        self.errors.append(str(error))

    def _asked(self, dialog) -> None:
        self.errors.append(dialog.message)
        dialog.dismiss()

    def open(self, path: str):
        """Go to a path; returns the page when nothing is asked any more."""
        response = self.page.goto(self.base + path, wait_until="load")
        self.status = response.status if response else None
        return self.page

    def faults(self) -> list[str]:
        """What axe-core finds wrong with the page as it is: rule, element and reason."""
        from axe_playwright_python.sync_playwright import Axe

        options = {"runOnly": {"type": "tag", "values": AXE}, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
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
        """Leave the page, and give its tab back."""
        self.page.goto(f"{self.base}/livez")
        self.context.unroute("**/*")
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)
        self._tabs.give_back(self.page, **self._options)
