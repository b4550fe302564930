"""The pages in a real browser: both languages, both themes, by keyboard, narrow, without JavaScript, under axe."""

import json
import re
from contextlib import ExitStack
from itertools import cycle
from urllib.parse import quote, urlencode, urlsplit

import pytest

from indexer import build_index
from tests.support.browser import NARROW, WIDE, Reader
from tests.support.fakes import FakeModel
from tests.support.server_process import serving
from web.api.docs import EXAMPLES

ARABIC, ENGLISH = "السدود في الوديان الشمالية", "grain corridor in the winter"
LANGUAGES = {"en": "en-GB", "ar": "ar-JO"}
PAGES = {
    "home": "/",
    "articles": "/articles",
    "articles of a source": "/articles?source=wire&order=title&limit=2",
    "sources": "/sources",
    "results": f"/?q={quote(ENGLISH)}",
    "results in Arabic": f"/?q={quote(ARABIC)}&lang=ar&source={quote('صحيفة المرفأ')}",
    "by date": f"/?q={quote(ENGLISH)}&sort=date&from=2024-01-01&to=2025-12-31",
    "second page": f"/?q={quote(ENGLISH)}&offset=10",
    "nothing found": "/?q=zzzz&mode=lexical&source=nobody",
    "beyond the end": f"/?q={quote(ENGLISH)}&offset=9000",
    "like": "/similar?doc_id=talks.txt&passage=1",
    "article": "/documents/talks.txt",
    "article of a search": "/documents/talks.txt?q=grain+corridor",
    "trap": "/documents/wire/trap.txt",
    "no article": "/documents/nobody.txt",
    "bad request": "/?q=x&mode=best",
    "nothing there": "/nothing",
    "docs": "/docs",
    "examples": "/docs/examples",
}


@pytest.fixture
def reader(browser, live):
    """Open pages as a reader; afterwards no other site was contacted, and no script failed."""
    readers = []

    def reader(**options):
        readers.append(Reader(browser, live, **options))
        return readers[-1]

    yield reader
    for each in readers:
        each.close()
        assert each.elsewhere == []
        # A page that is refused is an error of the browser's console too, and is none of ours.
        assert [error for error in each.errors if "Failed to load resource" not in error] == []


def titles(page):
    return page.locator(".hits h2 a").all_inner_texts()


# --- every page, in every guise ------------------------------------------------------------------


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_every_page_names_its_language_fits_the_window_width_and_half_of_them_pass_axe(
    reader, language, scheme
):
    """Each page passes in one of the two languages; their rules and their templates are the same."""
    one = reader(locale=LANGUAGES[language], color_scheme=scheme)
    for number, (name, path) in enumerate(PAGES.items()):
        one.page.set_viewport_size(NARROW)
        page = one.open(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        assert page.locator("h1").count() == 1, name
        open_details(page)
        assert_fits(one, name)
        page.set_viewport_size(WIDE)
        if number % 2 == list(LANGUAGES).index(language):
            assert one.faults() == [], (name, language, scheme)


def open_details(page):
    """Open what is collapsed: its content is a part of the page too."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def assert_fits(one, name):
    """On a telephone, which is also the width of 1,280 at 400 %; with letters of 200 %; on half a screen."""
    assert one.overflow() <= 0, name
    one.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert one.overflow() <= 0, name
    one.page.evaluate("document.documentElement.style.fontSize = ''")
    one.page.set_viewport_size({"width": 640, "height": 450})
    assert one.overflow() <= 0, name


@pytest.mark.parametrize(("language", "name"), [("ar", "results in Arabic"), ("en", "article of a search")])
def test_axe_finds_nothing_on_a_telephone_with_forced_colours(reader, language, name):
    one = reader(locale=LANGUAGES[language], viewport=NARROW, forced_colors="active")
    open_details(one.open(PAGES[name]))
    assert one.faults() == []
    assert one.overflow() <= 0


def test_chosen_values_are_visible_in_forced_colours(reader):
    page = reader(forced_colors="active").open(PAGES["results in Arabic"])
    for selector in (".chip", ".sorting [aria-current]", ".facets [aria-current]"):
        style = page.locator(selector).first.evaluate(
            "each => [getComputedStyle(each).borderTopStyle, getComputedStyle(each).textDecorationLine]"
        )
        assert style[0] != "none" or "underline" in style[1], selector


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_matching_words_are_readable_in_forced_colours(reader, scheme):
    page = reader(forced_colors="active", color_scheme=scheme).open(PAGES["article of a search"])
    word = page.locator(".word").first
    colour = "each => getComputedStyle(each).color"
    assert word.evaluate(colour) == page.locator(".document .text").first.evaluate(colour)


def test_filters_have_no_toggle_button_on_wide_windows(reader):
    """Collapsed on a telephone; on a wide window the filters always show and have no button."""
    for viewport, narrow in ((NARROW, True), ({"width": 1280, "height": 900}, False)):
        page = reader(viewport=viewport).open(PAGES["results"])
        assert page.locator(".narrow > details > summary").is_visible() == narrow
        assert page.locator(".narrow > h2").is_visible() != narrow
        assert page.locator("#by-lang").is_visible() != narrow
        assert page.get_by_role("heading", name="Narrow the list").count() == 1


STATES = {
    "loading": ("loading", "/"), "no index": ("opened", "/"), "no articles": ("opened", "/"),
    "no model": ("wordy", f"/?q={quote(ENGLISH)}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def states(press, live, tmp_path_factory):
    """The address of a server in each state that readers may find it in."""
    place = tmp_path_factory.mktemp("states")
    (place / "nothing").mkdir()
    build_index(place / "nothing", place / "empty", FakeModel())
    indexes = {"no index": place / "none", "no articles": place / "empty"}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(indexes.get(name, press / "index"), state)) + path
            for name, (state, path) in STATES.items()
        } | {"changed": f"{live}/?q=x&generation=older"}


def test_axe_finds_nothing_on_status_pages(browser, states):
    for name, address, language in zip(states, states.values(), cycle(LANGUAGES), strict=False):
        parts = urlsplit(address)
        one = Reader(browser, f"http://{parts.netloc}", locale=LANGUAGES[language])
        page = one.open(f"{parts.path}?{parts.query}")
        assert one.faults() == [], (name, language)
        assert page.locator("h1").count() == 1
        assert one.elsewhere == []
        one.close()


def test_a_page_and_all_it_loads_weigh_under_150_kilobytes(reader):
    one = reader()
    for name in ("home", "results", "article of a search", "docs"):
        sizes = []
        one.page.on("response", lambda response, sizes=sizes: sizes.append(len(response.body())))
        one.open(PAGES[name])
        one.page.wait_for_load_state("networkidle")
        assert sum(sizes) < 150_000, (name, sizes)
        assert len(sizes) >= 3


# --- search ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "question"), [("en", ENGLISH), ("ar", ARABIC), ("en", ARABIC), ("ar", ENGLISH)]
)
def test_a_question_is_typed_and_answered(reader, language, question):
    one = reader(locale=LANGUAGES[language])
    page = one.open("/")
    page.locator("#q").fill(question)
    page.keyboard.press("Enter")
    page.locator(".hits li").first.wait_for()
    assert urlsplit(page.url).query == urlencode({"q": question})
    assert page.locator("#q").input_value() == question
    first = page.locator(".hits li").first
    marked = first.locator("mark").all_inner_texts()
    assert any(word in question for word in marked)
    text = first.locator(".text").first
    wanted = "ar" if question == ARABIC else "en"
    assert text.get_attribute("lang") == wanted
    assert text.evaluate("each => getComputedStyle(each).direction") == ("rtl" if wanted == "ar" else "ltr")
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")


def test_results_change_without_a_reload(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    page.evaluate("window.kept = true")
    before = titles(page)
    page.locator("#q").fill("museum manuscripts")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=museum+manuscripts*")
    one.settled()
    assert titles(page) != before
    assert "museum" in page.title()
    page.locator("#by-lang a", has_text="Arabic").first.click()
    page.wait_for_url("**lang=ar*")
    one.settled()
    assert {each.get_attribute("lang") for each in page.locator(".hits .text").all()} == {"ar"}
    page.go_back()
    page.wait_for_url(lambda url: "lang=ar" not in url)
    one.settled()
    page.go_back()
    page.wait_for_url(f"**q={quote(ENGLISH)}*")
    one.settled()
    assert titles(page) == before
    assert page.locator("#q").input_value() == ENGLISH
    assert page.evaluate("window.kept") is True


def test_result_counts_are_announced_politely(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    said = page.locator("#said")
    assert said.get_attribute("role") == "status"
    page.locator("#q").fill("museum manuscripts")
    page.keyboard.press("Enter")
    one.until("document.getElementById('said').textContent.includes('museum manuscripts')")
    assert re.search(r"The \d+ passages nearest to", said.inner_text())
    page.locator(".days [name=from]").fill("2024-01-01")
    page.locator(".days button").click()
    one.until("document.getElementById('said').textContent.includes('without a date')")


def test_text_typed_while_a_list_loads_is_kept(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    page.evaluate("""() => {
        const quick = window.fetch;
        window.fetch = async (...all) => { await new Promise(done => setTimeout(done, 400)); return quick(...all); };
    }""")
    page.locator("#q").fill("museum")
    page.keyboard.press("Enter")
    page.keyboard.type(" manuscripts")
    page.wait_for_url("**q=museum*")
    one.settled()
    assert page.locator("#q").input_value() == "museum manuscripts"
    page.keyboard.press("Enter")
    page.wait_for_url("**q=museum+manuscripts*")
    one.settled()
    assert page.locator("#q").input_value() == "museum manuscripts"


def test_slow_answer_never_appears_under_another_address(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    before = titles(page)
    page.locator("#by-lang a", has_text="Arabic").first.click()
    page.wait_for_url("**lang=ar*")
    one.settled()
    narrowed = titles(page)
    assert narrowed != before
    page.evaluate("""() => {
        const quick = window.fetch;
        window.fetch = async (...all) => { await new Promise(done => setTimeout(done, 400)); return quick(...all); };
    }""")
    page.evaluate("history.back()")
    page.wait_for_timeout(100)
    page.evaluate("history.forward()")
    page.wait_for_timeout(900)
    one.settled()
    assert "lang=ar" in page.url
    assert titles(page) == narrowed
    assert page.locator(".chips li").count() >= 1


def test_pages_work_by_keyboard_alone(reader):
    one = reader()
    page = one.open("/")
    page.keyboard.type("grain corridor")
    page.keyboard.press("Enter")
    page.locator(".hits li").first.wait_for()
    page.wait_for_load_state("load")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    links = page.locator(".hits h2 a")
    focused = "element => element === document.activeElement"
    assert links.nth(0).evaluate(focused)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    assert links.nth(2).evaluate(focused)
    page.keyboard.press("ArrowUp")
    assert links.nth(1).evaluate(focused)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    href = links.nth(0).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/**")
    assert page.url == one.base + href
    page = one.open("/documents/talks.txt")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_focus_is_visible_at_every_tab_step(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        facts = page.evaluate("""() => {
            const each = document.activeElement, style = getComputedStyle(each), box = each.getBoundingClientRect();
            return [each.outerHTML.slice(0, 90), style.outlineStyle, style.outlineWidth, box.width * box.height];
        }""")
        if facts[0].startswith("<body"):
            break
        seen.add(facts[0])
        # The parts of a date are shown one by one, by the browser.
        assert facts[1] != "none" or 'type="date"' in facts[0], facts
        assert facts[3] > 0, facts
    assert len(seen) > 20


def test_facet_counts_are_true_and_link_to_their_hits(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}&copies=all")
    total = int(re.search(r"The (\d+) passages", page.locator("h1").inner_text())[1])
    for facet in ("by-lang", "by-source", "by-year"):
        counts = page.locator(f"#{facet} .n").all_inner_texts()
        assert sum(int(each.replace(",", "")) for each in counts) == total
    for facet, named in (("by-lang", "English"), ("by-source", "wire"), ("by-year", "2024")):
        page = one.open(f"/?q={quote(ENGLISH)}&copies=all")
        link = page.locator(f"#{facet} a", has_text=named).first
        count = int(link.locator(".n").inner_text())
        link.click()
        page.locator(".chips li").first.wait_for()
        one.settled()
        assert int(re.search(r"The (\d+) passages?", page.locator("h1").inner_text())[1]) == count
        page.locator(".chips a").first.click()
        one.until("!document.querySelector('.chips')")
        assert int(re.search(r"The (\d+) passages", page.locator("h1").inner_text())[1]) == total


def test_date_range_and_date_order_work(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    page.locator("input[name=from]").fill("2024-01-01")
    page.locator("input[name=to]").fill("2024-12-31")
    page.locator(".days button").click()
    page.wait_for_url("**from=2024-01-01*")
    one.settled()
    days = {each.get_attribute("datetime")[:4] for each in page.locator(".hits time").all()}
    assert days == {"2024"}
    assert page.locator(".note").count() == 1  # those without a date were left out
    page = one.open(f"/?q={quote(ENGLISH)}")
    page.locator(".sorting a", has_text="Newest").click()
    page.wait_for_url("**sort=date*")
    one.settled()
    days = [each.get_attribute("datetime") for each in page.locator(".hits .facts time").all()]
    assert days == sorted(days, reverse=True)
    assert days[0] == "2025-06-20"


def test_pages_work_without_javascript(reader):
    page = reader(scripts=False).open("/")
    page.locator("#q").fill(ENGLISH)
    page.locator("form[role=search] button").click()
    page.wait_for_url("**q=grain*")
    plain = titles(page)
    with_script = reader().open(f"/?q={quote(ENGLISH)}")
    assert plain == titles(with_script)
    page.locator("#by-lang a", has_text="Arabic").first.click(force=True) if page.locator(
        "#by-lang a"
    ).first.is_visible() else page.goto(
        page.locator("#by-lang a", has_text="Arabic").first.evaluate("each => each.href")
    )
    assert {each.get_attribute("lang") for each in page.locator(".hits .text").all()} == {"ar"}
    page.locator(".hits h2 a").first.click()
    assert page.locator("mark#here").count() == 1
    page.locator(".cite summary").click()
    assert "sha256" in page.locator("#cite-plain").input_value()
    page.locator(".languages button[value=ar]").click()
    assert page.locator("html").get_attribute("lang") == "ar"
    page.locator(".matches .back").click()
    assert page.locator(".hits li").count() > 0


# --- languages and looks ---------------------------------------------------------------------------


def test_the_language_is_switched_and_remembered(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}&lang=en")
    address = page.url
    page.locator(".languages button[value=ar]").click()
    one.until("document.documentElement.lang === 'ar'")
    assert page.url == address
    assert page.locator("html").get_attribute("dir") == "rtl"
    heading = page.locator("h1").inner_text()
    assert re.search("[٠-٩]", heading)
    assert not re.search("[0-9]", heading)
    cookie = next(each for each in one.context.cookies() if each["name"] == "language")
    assert (cookie["value"], cookie["httpOnly"], cookie["sameSite"]) == ("ar", True, "Lax")
    assert one.open("/docs").locator("html").get_attribute("lang") == "ar"
    page.locator(".languages button[value=en]").click()
    one.until("document.documentElement.lang === 'en'")


def brightness(page, selector):
    color = page.locator(selector).first.evaluate("each => getComputedStyle(each).backgroundColor")
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 3


def test_themes_are_dark_and_light(reader):
    dark, light = reader(color_scheme="dark"), reader(color_scheme="light")
    for name in ("home", "results", "article", "docs"):
        assert brightness(dark.open(PAGES[name]), "body") < 60, name
        assert brightness(light.open(PAGES[name]), "body") > 200, name


def test_reduced_motion_disables_animation(reader):
    page = reader(reduced_motion="reduce").open(PAGES["results"])
    moving = page.evaluate("""() => [...document.querySelectorAll('*')].filter(each => {
        const style = getComputedStyle(each);
        return parseFloat(style.transitionDuration) > 0.01 || parseFloat(style.animationDuration) > 0.01
            || style.scrollBehavior === 'smooth';
    }).length""")
    assert moving == 0


def test_print_shows_texts_and_their_places(reader):
    one = reader()
    page = one.open(PAGES["article of a search"])
    page.emulate_media(media="print")
    assert page.locator("main .text").first.is_visible()
    assert not page.locator(".matches").is_visible()
    assert not page.locator("form[role=search]").is_visible()
    page = one.open(PAGES["results"])
    page.emulate_media(media="print")
    assert not page.locator("form[role=search]").is_visible()
    assert not page.locator(".narrow").is_visible()
    assert page.locator(".hits .text").first.is_visible()
    assert page.locator(".hits .provenance").first.is_visible()


# --- the article -----------------------------------------------------------------------------------


def test_hit_opens_at_its_words_and_links_to_further_matches(reader):
    one = reader()
    page = one.open("/?q=council+of+the+city+agreed+upon")
    first = page.locator(".hits li").first
    words = first.locator(".text").first.inner_text()
    first.locator("h2 a").click()
    page.wait_for_url("**/documents/**")
    marked = page.locator("mark.here")
    assert "".join(marked.all_inner_texts()).split() == words.split()
    one.until("""(() => {
        const box = document.getElementById('here').getBoundingClientRect();
        return box.top >= 0 && box.top < innerHeight;
    })()""")
    before = page.url
    link = page.locator(".matches a[rel]").first
    rel = link.get_attribute("rel")
    link.click()
    page.wait_for_url(lambda url: url != before)
    assert page.locator("mark#here").count() == 1
    page.keyboard.press({"next": "p", "prev": "n"}[rel])
    page.wait_for_url(before)
    page.locator(".matches .back").click()
    page.wait_for_url("**/?q=council*")


def test_the_way_back_leads_to_the_hit_that_was_opened(reader):
    one = reader()
    page = one.open("/?q=council")
    hit = page.locator(".hits .listed").nth(7)
    words = hit.inner_text()
    hit.locator(".provenance a").first.click()
    page.wait_for_url("**/documents/**")
    page.locator(".matches .back").click()
    page.wait_for_url("**/?q=council*#hit-*")
    assert page.locator(".hits .listed:target").inner_text() == words
    one.until("document.querySelector('.listed:target').getBoundingClientRect().top < innerHeight")
    assert page.evaluate("scrollY") > 0


def test_a_citation_is_copied(reader):
    one = reader()
    one.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=one.base)
    page = one.open("/?q=grain+corridor&lang=en")
    page.locator(".hits h2 a").first.click()
    page.wait_for_url("**/documents/**")
    page.locator(".cite summary").click()
    for form in ("plain", "markdown"):
        page.locator(f"button[data-copy=cite-{form}]").click()
        one.until("document.getElementById('said').textContent !== ''")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.replace("\r\n", "\n") == page.locator(f"#cite-{form}").input_value()
        assert re.search("[0-9a-f]{64}", copied)
        assert one.base in copied


def test_permanent_address_reports_a_changed_file(reader):
    one = reader()
    page = one.open("/?q=grain+corridor&lang=en")
    href = page.locator(".hits h2 a").first.get_attribute("href")
    other_file = re.sub("sha256=[0-9a-f]{64}", "sha256=" + "0" * 64, href)
    page = one.open(other_file)
    assert "these words have not" in page.locator(".note").first.inner_text()
    page = one.open(re.sub("words=[0-9a-f]{12}", "words=" + "0" * 12, other_file))
    assert "changed since this address was made" in page.locator(".note.uncertain").first.inner_text()


def test_article_texts_are_never_markup(reader):
    one = reader()
    for path in ("/documents/wire/trap.txt", "/?q=harbour+master+trap&mode=lexical"):
        page = one.open(path)
        assert "pwned" not in page.title().replace("document.title='pwned'", "")
        assert page.evaluate("document.title") != "pwned"
        assert page.locator("main script, main img").count() == 0
        assert "<script>document.title='pwned'</script>" in page.locator("main").inner_text()


def test_a_list_is_exported(reader):
    one = reader()
    page = one.open(f"/?q={quote(ENGLISH)}")
    for form in ("CSV", "JSON Lines"):
        with page.expect_download() as waiting:
            page.locator(".export").get_by_role("link", name=form, exact=True).click()
        content = waiting.value.path().read_text("utf-8")
        assert waiting.value.suggested_filename == f"warraq.{'csv' if form == 'CSV' else 'jsonl'}"
        if form == "CSV":
            assert content.startswith("\ufeffrank,")
        else:
            assert json.loads(content.splitlines()[0])["rank"] == 1


def test_more_like_this_leads_to_other_articles(reader):
    one = reader()
    page = one.open("/?q=grain+corridor&lang=en")
    own = page.locator(".hits h2 a").first.get_attribute("href").partition("?")[0]
    page.locator(".hits .like").first.click()
    page.wait_for_url("**/similar?**")
    one.settled()
    assert page.locator(".about blockquote").inner_text()
    others = [each.get_attribute("href").partition("?")[0] for each in page.locator(".hits h2 a").all()]
    assert others
    assert own not in others


def test_javascript_example_runs_unchanged(reader):
    one = reader()
    page = one.open("/docs/examples")
    (name,) = [each for each in EXAMPLES if each.endswith(".js")]
    code = page.locator(f"section[aria-labelledby='{name}'] code").inner_text()
    page.evaluate(f"(async () => {{ {code} }})()")
    page.wait_for_timeout(200)
    assert len(one.console) == 10
    assert any("السدود" in line for line in one.console)
