"""Suggestions in a real browser: the manners of a combobox, in both languages, and none without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import NARROW, Reader


@pytest.fixture
def visit(browser, live):
    """Open pages in a language; at the end no page may have reported an error."""
    readers = []

    def visit(address, language="en", **options):
        readers.append(Reader(browser, live, locale=language, **options))
        return readers[-1], readers[-1].open(address)

    yield visit
    for each in readers:
        each.close()
        assert each.elsewhere == each.console == each.errors == []


@pytest.mark.parametrize(("language", "address"), [("en", "/"), ("ar", "/?q=grain")])
def test_arrow_keys_reach_suggestions_and_enter_takes_one(visit, language, address):
    reader, page = visit(address, language)
    page.set_viewport_size(NARROW)
    box = page.get_by_role("combobox")
    assert (box.get_attribute("aria-expanded"), box.get_attribute("aria-autocomplete")) == ("false", "list")
    box.fill("")
    box.press_sequentially("talks")
    listbox = page.get_by_role("listbox", name="Suggestions" if language == "en" else "اقتراحات")
    expect(listbox).to_be_visible()
    options = listbox.get_by_role("option")
    assert box.get_attribute("aria-expanded") == "true"
    assert box.get_attribute("aria-controls") == listbox.get_attribute("id")
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    assert options.first.get_attribute("aria-selected") == "true"
    assert reader.faults() == []
    assert reader.overflow() == 0
    page.keyboard.press("ArrowUp")  # back in the box
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")  # the last one
    assert options.last.get_attribute("aria-selected") == "true"
    title = options.last.locator("bdi").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1 q")).to_contain_text(title.replace('"', ""))
    expect(page.locator("#suggestions")).to_be_hidden()


def test_escape_closes_and_what_was_typed_stays(visit):
    _, page = visit("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("tal")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    assert (box.input_value(), box.get_attribute("aria-expanded")) == ("tal", "false")
    box.press_sequentially("k")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_source_becomes_a_filter_and_the_question_goes_on(visit):
    _, page = visit("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("wir")
    page.get_by_role("option", name="wire").click()
    assert box.input_value() == 'source:"wire" '
    box.press_sequentially("talks")
    page.keyboard.press("Enter")
    expect(page.locator(".chips")).to_contain_text("wire")


def test_without_javascript_the_box_is_a_plain_one(visit):
    _, page = visit("/", scripts=False)
    assert page.get_by_role("combobox").count() == page.locator("#suggestions").count() == 0
    assert page.get_by_role("searchbox").count() == 1


@pytest.mark.parametrize("language", ["en", "ar"])
def test_recent_questions_stay_in_the_browser_and_can_be_cleared_and_turned_off(visit, language):
    reader, page = visit("/", language)
    recent = page.locator("#recent")
    assert recent.is_hidden()

    def ask(question):
        page.locator("#q").fill(question)
        with page.expect_navigation(url="**q=*"):
            page.keyboard.press("Enter")
        expect(page.locator("h1 q")).to_contain_text(question)

    for question in ("grain corridor", "سدود الشمال", "grain corridor"):
        page.goto(f"{reader.base}/")
        ask(question)
    page.goto(f"{reader.base}/")
    assert recent.locator("li a").all_inner_texts() == ["grain corridor", "سدود الشمال"]
    assert reader.faults() == []
    recent.locator("li a").last.click()
    expect(page.locator("h1 q")).to_contain_text("سدود الشمال")
    page.goto(f"{reader.base}/")
    page.locator("#recent-clear").click()
    assert recent.is_hidden()
    ask("winter")
    page.goto(f"{reader.base}/")
    page.locator("#recent-switch").click()
    assert recent.locator("li").count() == 0
    assert page.evaluate("localStorage.getItem('questions')") is None
    ask("port")
    page.goto(f"{reader.base}/")
    assert recent.locator("li").count() == 0
    page.locator("#recent-switch").click()  # on again
    assert recent.is_hidden()
