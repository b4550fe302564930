"""The page of an article in a real browser: keys, print, copying, width and accessibility."""

from urllib.parse import quote, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from indexer.addresses import permanent_url
from tests.support.browser import Reader
from tests.support.fakes import open_fake


@pytest.fixture
def visit(browser, live):
    """Open pages in a language; at the end no page may have reported an error."""
    readers = []

    def visit(address, language="en", **options):
        readers.append(Reader(browser, live, locale=language, **options))
        return readers[-1].open(address)

    yield visit
    for each in readers:
        each.close()
        assert each.elsewhere == each.console == each.errors == []


PORT = "/documents/" + quote("صحيفة المرفأ/port.en.txt")


@pytest.mark.parametrize(
    ("language", "keys"), [("en", "n n p ArrowRight ArrowLeft"), ("ar", "n n p ArrowLeft ArrowRight")]
)
def test_arrow_keys_move_between_matches_in_reading_direction(visit, language, keys):
    page = visit(f"{PORT}?{urlencode({'q': 'council of the city this year'})}", language)
    fragments = []
    for key in keys.split():
        with page.expect_navigation():
            page.keyboard.press(key)
        fragments.append(urlsplit(page.url).fragment)
        assert page.locator(f"#{fragments[-1]} #here").is_visible()
    first, second = fragments[:2]
    assert fragments == [first, second, first, second, first]
    assert first != second
    page.locator("#keys-switch").click()
    page.keyboard.press("n")
    page.locator("#q").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert urlsplit(page.url).fragment == first


def test_key_navigation_keeps_the_results_one_step_back(visit):
    page = visit(f"/?{urlencode({'q': 'council of the city this year'})}")
    results = page.url
    page.locator(".hits h2 a").first.click()
    page.wait_for_url("**/documents/**")
    for _ in range(2):
        key = "n" if page.locator(".matches a[rel=next]").count() else "p"
        with page.expect_navigation():
            page.keyboard.press(key)
    page.go_back()
    assert page.url == results
    page.go_forward()
    (link, *_) = page.locator(".matches a[rel]").all()
    before = page.url
    with page.expect_navigation():
        link.click()
    page.go_back()
    assert page.url == before  # a link that is followed is a step


def test_print_shows_the_permanent_address_once(visit, press):
    article = open_fake(press / "index").article("wire/trap.txt")
    address = permanent_url(article.document, 5, 120, 1)
    page = visit(address.replace("#", "&q=harbour#"))
    line = page.locator(".printed")
    assert not line.is_visible()
    page.emulate_media(media="print")
    assert line.is_visible()
    assert line.inner_text() == f"Address: {page.url.partition('/documents')[0]}{address}"
    assert page.locator("main").inner_text().count("/documents/") == 1
    follows = "each => ['::before', '::after'].map((at) => getComputedStyle(each, at).content)"
    for link in page.locator("main a").all():
        assert set(link.evaluate(follows)) <= {"none", "normal", '""'}


def test_each_line_of_an_article_finds_its_own_direction(visit):
    # But not in Arabic, where sentences begin with Latin names too.
    for address, way in ((PORT, "plaintext"), (PORT.replace(".en.", ".ar."), "isolate")):
        page = visit(address)
        texts = page.locator(".words .passage .text").all()
        styles = {text.evaluate("each => getComputedStyle(each).unicodeBidi") for text in texts}
        assert styles == {way}


@pytest.mark.parametrize("clipboard", [True, False])
def test_button_copies_a_citation_and_confirms_it(visit, clipboard):
    granted = ["clipboard-read", "clipboard-write"]
    page = visit(PORT, permissions=granted)
    if not clipboard:  # as at an address that is not secure
        page.evaluate("navigator.clipboard.writeText = undefined")
    page.locator(".cite summary").click()
    button = page.get_by_role("button", name="Copy: As Markdown")
    button.click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#cite-markdown").input_value()
    assert button.evaluate("each => each === document.activeElement")


def test_words_far_down_a_passage_are_scrolled_into_view(visit, press):
    article = open_fake(press / "index").article("صحيفة المرفأ/port.en.txt")
    last = article.passages[-1]
    address = permanent_url(article.document, last.end - 20, last.end, article.passages[0].number)
    page = visit(address, viewport={"width": 320, "height": 300})
    expect(page.locator("#here")).to_be_in_viewport()


@pytest.mark.parametrize(("language", "width", "scheme"), [("en", 1200, "light"), ("ar", 320, "dark")])
def test_the_page_is_accessible_and_never_wider_than_the_window(visit, press, language, width, scheme):
    trap = open_fake(press / "index").article("wire/trap.txt")
    address = permanent_url(trap.document, 5, 120, 1).replace("#", "&q=harbour#")
    page = visit(address, language, viewport={"width": width, "height": 700}, color_scheme=scheme)
    for summary in page.locator("main details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.title().startswith("A trap <script>")
    assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []


def test_keys_of_an_arabic_keyboard_move_between_matches(visit):
    page = visit(f"{PORT}?{urlencode({'q': 'council of the city this year'})}")
    for code, key, rel in (("KeyN", "ى", "next"), ("KeyN", "ى", "next"), ("KeyP", "ح", "prev")):
        address = page.locator(f'.matches a[rel="{rel}"]').get_attribute("href")
        with page.expect_navigation():
            page.evaluate(
                "([key, code]) => document.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))",
                [key, code],
            )
        assert page.url.endswith(address)


def test_copied_paragraphs_are_the_words_of_the_article_alone(visit):
    page = visit(PORT)
    passages = page.locator(".words .passage .text")
    words = [passages.nth(place).inner_text().strip() for place in range(3)]
    copied = page.evaluate(
        """() => {
            const [first, , third] = document.querySelectorAll(".words .passage");
            const range = document.createRange();
            range.setStartBefore(first);
            range.setEndAfter(third);
            const selection = getSelection();
            selection.removeAllRanges();
            selection.addRange(range);
            return new Promise((resolve) => {
                document.addEventListener("copy", () => resolve(selection.toString()), { once: true });
                document.execCommand("copy");
            });
        }"""
    )
    assert [line.strip() for line in copied.splitlines() if line.strip()] == words
