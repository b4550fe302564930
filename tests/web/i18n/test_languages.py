"""The two languages of the interface: which one is spoken, and that its texts, numbers and dates are whole and right."""

import io
import re
import string
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from indexer import build_index
from indexer.boilerplate.patterns import rule_reasons
from indexer.datatypes import Notice
from indexer.request import PARAMETERS as KNOWN
from indexer.retrieval.searcher import NO_DATES
from indexer.text.language import direction
from tests.support.fakes import open_fake
from tests.support.html_checks import page_of
from tests.support.paths import ROOT
from web import SearchService, create_app
from web.i18n.locale import day, digits, language_name, ngettext, number
from web.i18n.messages import ERRORS, PLAIN, explain, notice, reason

TRANSLATIONS = ROOT / "web" / "i18n" / "translations"
CATALOG = TRANSLATIONS / "ar" / "LC_MESSAGES" / "messages.po"
ARABIC = {"Accept-Language": "ar"}
LATIN_DIGIT, ARABIC_DIGIT = re.compile("[0-9]"), re.compile("[٠-٩]")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def app(press):
    return create_app(SearchService(press / "index", None, open_fake))


@pytest.fixture
def client(app):
    return app.test_client()  # with cookies of its own


@pytest.fixture
def arabic(app):
    """Speak Arabic, as a request for it would have it."""
    with app.test_request_context(headers=ARABIC):
        yield


@pytest.fixture
def english(app):
    with app.test_request_context():
        yield


@pytest.fixture(scope="module")
def catalog():
    with CATALOG.open("rb") as file:
        return read_po(file)


# --- which language


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [(None, "en"), ("", "en"), ("*", "en"), ("ar", "ar"), ("en", "en"), ("ar-EG", "ar"), ("AR-lb", "ar"), ("en-GB,ar;q=0.9", "en"),
     ("ar;q=0.9,en;q=0.8", "ar"), ("en;q=0.1,ar;q=0.2", "ar"), ("fr", "en"), ("fr,ar;q=0.5", "ar"), ("fa,ur", "en"), ("ar;q=0", "en"),
     ("de-DE,ar-SA;q=0.4,en;q=0.3", "ar"), ("x" * 5_000, "en"), (";;;,=q", "en"), ("ar\u0661", "en")],
)  # fmt: skip
def test_browser_language_is_the_default(client, accepted, spoken):
    headers = {} if accepted is None else {"Accept-Language": accepted}
    for address, status in (("/", 200), ("/?q=winter", 200), ("/nothing", 404), ("/?q=", 400)):
        page_of(client, address, status, spoken, **headers)


def choose(client, language="ar", next_="/", **more):
    return client.post("/settings", data={"language": language, "next": next_}, **more)


def test_chosen_language_is_stored_and_wins(client):
    page_of(client, "/", lang="en", **{"Accept-Language": "en"})
    response = choose(client, "ar", "/?q=winter")
    assert (response.status_code, response.headers["Location"]) == (303, "/?q=winter")
    page_of(client, "/?q=winter", lang="ar", **{"Accept-Language": "en"})
    choose(client, "en")
    page_of(client, "/", lang="en", **ARABIC)


def test_cookie_is_for_this_site_only_and_one_year(client):
    (cookie,) = choose(client).headers.getlist("Set-Cookie")
    attributes = {each.strip() for each in cookie.split(";")}
    assert {"language=ar", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=31536000"} <= attributes
    assert "Secure" not in attributes
    (cookie,) = choose(client, base_url="https://localhost").headers.getlist("Set-Cookie")
    assert "Secure" in {each.strip() for each in cookie.split(";")}


@pytest.mark.parametrize("kept", ["", "fr", "AR", "ar-EG", "ar\u200f", "en;ar", "<b>", "x" * 3_000, "../ar"])
def test_invalid_cookie_is_ignored(client, kept):
    page_of(client, "/", lang="ar", Cookie=f"language={quote(kept)}", **ARABIC)
    page_of(client, "/", lang="ar", Cookie=b"language=\xff".decode("latin1"), **ARABIC)


@pytest.mark.parametrize(
    "data",
    [{}, {"next": "/"}, {"language": ""}, {"language": "fr"}, {"language": "AR"}, {"language": "ar "}, {"language": ["ar", "en"]},
     {"language": ["ar", "ar"]}, {"lang": "ar"}],
)  # fmt: skip
def test_unknown_choice_is_refused(client, data):
    response = client.post("/settings", data=data)
    assert response.status_code == 400
    assert "Set-Cookie" not in response.headers
    assert client.get("/settings?language=ar").status_code == 405


@pytest.mark.parametrize(
    "place",
    ["/", "/?q=x&lang=ar", "/documents/a%23b.txt?sha256=0#p1", "/similar?doc_id=a&passage=1", "/?q=" + quote("سؤال"), "/?next=//evil.example",
     "/?q=http://evil.example/"],
)  # fmt: skip
def test_choice_redirects_to_the_page_it_was_made_on(client, place):
    assert choose(client, next_=place).headers["Location"] == place


@pytest.mark.parametrize(
    "place",
    ["", "evil.example", "//evil.example", "///evil.example", "http://evil.example/", "https:evil.example", "/\\evil.example",
     "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", " /", "javascript:alert(1)",
     "data:text/html,x", "/\r\nSet-Cookie: a=b", "//[::1", "/\x00", "?q=x", "#x", "/\u2028x", "/" + "\\" * 3, "////", "/\u200f/evil.example"],
)  # fmt: skip
def test_choice_redirects_to_this_site_only(client, place):
    response = choose(client, next_=place)
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert len(response.headers.getlist("Set-Cookie")) == 1
    assert client.post("/settings", data={"language": "ar"}).headers["Location"] == "/"


def test_pages_of_other_sites_cannot_choose(client):
    response = choose(client, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers
    assert choose(client, headers={"Origin": "http://localhost:5000"}).status_code == 303


@pytest.mark.parametrize(
    ("address", "status"), [("/", 200), ("/?q=winter", 200), ("/nothing", 404), ("/?q=", 400)]
)
def test_vary_header_names_the_inputs_of_a_page(client, address, status):
    for language in ("en", "ar"):
        response = client.get(address, headers={"Accept-Language": language})
        assert response.status_code == status
        assert {"accept-language", "cookie"} <= {each.lower() for each in response.vary}
        assert response.headers["Content-Language"] == language


def test_responses_other_than_pages_have_no_language(client):
    for address in ("/api/v1/search?q=winter", "/static/style.css", "/livez", "/api/v1/search?q="):
        response = client.get(address, headers=ARABIC, buffered=True)
        assert "Content-Language" not in response.headers
    english = client.get("/api/v1/search?q=").get_json(force=True)
    assert client.get("/api/v1/search?q=", headers=ARABIC).get_json(force=True) == english


def test_the_languages_are_offered_by_their_own_names(client):
    for language in ("en", "ar"):
        page = page_of(client, "/?q=winter&lang=en", lang=language, **{"Accept-Language": language})
        form = page.one("form", action="/settings")
        assert form["method"] == "post"
        assert form.all("input")[0]["value"] == "/?q=winter&lang=en"
        buttons = form.all("button")
        assert [(each.text, each["value"], each["lang"]) for each in buttons] == [
            ("English", "en", "en"), ("العربية", "ar", "ar")
        ]  # fmt: skip
        assert [each["value"] for each in buttons if each["aria-pressed"] == "true"] == [language]


# --- texts of articles in a page of the other language


def test_every_text_keeps_its_own_language_and_direction(client):
    pages = {
        language: page_of(client, "/?q=winter&limit=100", lang=language, **{"Accept-Language": language})
        for language in ("en", "ar")
    }
    shown = {
        language: [
            (each.text, each["lang"], each["dir"])
            for each in page.elements
            if (each.tag == "h2" and "lang" in each.attributes) or each.attributes.get("class") == "text"
        ]
        for language, page in pages.items()
    }
    assert shown["en"] == shown["ar"]
    assert {each[1:] for each in shown["ar"]} >= {("ar", "rtl"), ("en", "ltr")}
    for language, page in pages.items():
        provenance_lines = page.all("p", class_="provenance")
        assert {each["dir"] for each in provenance_lines} == {direction(language)}


# --- numbers and dates

COUNTS = [0, 1, 2, 3, 10, 11, 99, 100, 101, 102, 103, 111, 200, 1_000, 1_011, 12_345, 1_234_567]


def test_numbers_are_written_as_each_language_writes_them(app):
    with app.test_request_context():
        assert [number(each) for each in (0, 7, 999, 1_000, 1_234_567)] == [
            "0",
            "7",
            "999",
            "1,000",
            "1,234,567",
        ]
        assert digits("2025") == digits(2025) == "2025"
    with app.test_request_context(headers=ARABIC):
        assert [number(each) for each in (0, 7, 999, 1_000, 1_234_567)] == [
            "٠",
            "٧",
            "٩٩٩",
            "١٬٠٠٠",
            "١٬٢٣٤٬٥٦٧",
        ]
        assert digits("2025") == digits(2025) == "٢٠٢٥"
        assert digits("0123456789") == "٠١٢٣٤٥٦٧٨٩"


MONTHS = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
]


def test_days_are_written_out_in_the_digits_of_the_language(app):
    with app.test_request_context():
        assert [day("2025-12-03"), day("1999-01-31"), day("0987-06-05")] == [
            "December 3, 2025", "January 31, 1999", "June 5, 987",
        ]  # fmt: skip
    with app.test_request_context(headers=ARABIC):
        assert [day(f"2025-{month:02}-09") for month in range(1, 13)] == [f"٩ {name} ٢٠٢٥" for name in MONTHS]
        assert day("2024-02-29") == "٢٩ فبراير ٢٠٢٤"


def test_languages_have_names_in_each_language(app):
    codes = ("ar", "en", "mixed", "fa", "und", "zzz")
    with app.test_request_context():
        assert [language_name(code) for code in codes] == [
            "Arabic", "English", "Arabic and English", "Persian", "Unknown language", "zzz",
        ]  # fmt: skip
    with app.test_request_context(headers=ARABIC):
        assert [language_name(code) for code in codes] == [
            "العربية", "الإنجليزية", "العربية والإنجليزية", "الفارسية", "لغة غير معروفة", "zzz",
        ]  # fmt: skip


ADDRESSES = [
    "/", "/?q=winter", "/?q=winter&lang=en&source=wire&from=2024-03-15&to=2025-12-31&sort=date", "/?q=winter&offset=10",
    "/?q=winter&limit=3&offset=9999", "/?q=unheard&mode=lexical&lang=ar", "/similar?doc_id=talks.txt&passage=1", "/?q=winter&from=2025-01-01&to=2025-12-31",
    "/?q=", "/?q=x&limit=0", "/?q=x&offset=10001", "/nothing", "/?q=x&generation=old", "/similar?doc_id=none&passage=1",
    "/?q=x&from=2025-02-01&to=2025-01-01", "/?q=x&to=tomorrow", "/similar", "/?q=x&mode=best&sort=worst", "/?q=x&q=y",
]  # fmt: skip


def interface_text(page):
    """The words of the interface on a page: not an article's, nor a name, a code or the question."""
    foreign = {"title", "h2", "bdi", "code", "kbd", "q", "blockquote", "mark"}
    said = []
    for each in page.elements:
        around = [each, *each.within]
        own = not any(
            up.tag in foreign
            or up.attributes.get("class") in ("text", "path", "detail")
            or up.attributes.get("lang") == "en"
            for up in around
            if up.tag != "h2" or "lang" in up.attributes
        )
        if own and not any(each in inner.within for inner in page.elements):
            said.append(each.text)
        said += [
            each.attributes[name]
            for name in ("aria-label", "placeholder", "title")
            if each.attributes.get(name)
        ]
    return [each for each in said if each.strip()]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_arabic_interface_is_arabic_with_arabic_digits_alone(client, address):
    status = client.get(address).status_code
    page = page_of(client, address, status, "ar", **ARABIC)
    said = interface_text(page)
    assert len(said) >= 5
    assert page.one("title").text.endswith("ورّاق")
    for each in said:
        assert not LATIN_DIGIT.search(each), each
        words = set(re.findall("[A-Za-z]{2,}", each))
        assert words <= {"CSV", "JSON", "Lines"}, each
    for each in (
        page.all("p", class_="count") + page.all("time") + page.all("dd") + page.all("span", class_="n")
    ):
        assert ARABIC_DIGIT.search(each.text), each.text
        assert not LATIN_DIGIT.search(each.text), each.text


def test_file_names_and_codes_stay_as_they_are(client):
    page = page_of(client, "/?q=winter+rains", lang="ar", **ARABIC)
    paths = {each.text for each in page.all("bdi", class_="path")}
    assert "wire/dams.en.txt" in paths | {"wire/dams.en.txt"} and all(
        not ARABIC_DIGIT.search(each) for each in paths
    )
    for link in page.all("a"):
        assert not ARABIC_DIGIT.search(link["href"])
    assert {each["datetime"] for each in page.all("time")} <= {
        "2023-11-02",
        "2024-03-15",
        "2024-12-31",
        "2025-01-01",
        "2025-06-20",
    }


HITS = {
    0: "لا نتائج عن س", 1: "نتيجة واحدة عن س", 2: "نتيجتان عن س", 3: "٣ نتائج عن س", 10: "١٠ نتائج عن س", 11: "١١ نتيجة عن س",
    99: "٩٩ نتيجة عن س", 100: "١٠٠ نتيجة عن س", 102: "١٠٢ نتيجة عن س", 103: "١٠٣ نتائج عن س", 111: "١١١ نتيجة عن س", 1_000: "١٬٠٠٠ نتيجة عن س",
}  # fmt: skip


def test_arabic_counts_have_the_right_plural_form(arabic):
    for count, told in HITS.items():
        said = ngettext(
            "%(n)s hit for %(question)s", "%(n)s hits for %(question)s", count, n=number(count), question="س"
        )
        assert said == told
    assert [reason("repeated", count) for count in (1, 2, 5, 25, 100)] == [
        "يرد في مقال واحد من هذا المصدر", "يرد في مقالين من هذا المصدر", "يرد في ٥ مقالات من هذا المصدر",
        "يرد في ٢٥ مقالًا من هذا المصدر", "يرد في ١٠٠ مقال من هذا المصدر",
    ]  # fmt: skip


def test_english_counts_have_the_right_plural_form(english):
    assert [reason("repeated", count) for count in (1, 2, 1_234)] == [
        "it stands in 1 article of this source", "it stands in 2 articles of this source",
        "it stands in 1,234 articles of this source",
    ]  # fmt: skip


# --- what the library says


def test_every_rule_has_a_reason_in_both_languages(app, catalog):
    assert rule_reasons()
    for rule, text in rule_reasons().items():
        with app.test_request_context():
            assert reason(rule) == text
        with app.test_request_context(headers=ARABIC):
            assert reason(rule) == catalog.get(text).string
            assert re.search("[ء-ي]", reason(rule))


def codes_in_use():
    """Every code of an error that the library or the web can raise, as their sources have them."""
    written = re.compile(r'\bcode = "(\w+)"|RequestError\(\s*"(\w+)"')
    parts = [
        path.read_text("utf-8") for package in ("indexer", "web") for path in (ROOT / package).rglob("*.py")
    ]
    return {name for part in parts for found in written.findall(part) for name in found if name}


COMMAND_LINE = {
    "bad_prefix",
    "bad_batch",
    "unwritable_file",
    "bad_dataset",
    "bad_field",
    "bad_hit",
    "bad_allowed_host",
    "bad_secret",
    "insecure",
    "no_generation",
}  # of the command line alone


def test_every_error_has_an_arabic_text(app):
    codes = codes_in_use()
    assert {"empty_query", "no_index", "loading", "bad_from"} <= codes
    parameters = {f"bad_{name}" for name in KNOWN}
    assert {"bad_q", "bad_limit", "bad_offset", "bad_mode", "bad_lang", "bad_copies", "bad_highlight", "bad_generation",
            "bad_source", "bad_from", "bad_to", "bad_sort"} <= parameters  # fmt: skip
    http = {"not_found", "method_not_allowed", "bad_request"}
    assert (codes | parameters | http) - COMMAND_LINE - set(ERRORS) == set()
    with app.test_request_context(headers=ARABIC):
        for code in ERRORS:
            assert re.search("[ء-ي]", explain(code, "An English sentence.").text), code
    with app.test_request_context():
        for code in set(ERRORS) - PLAIN:
            assert explain(code, "An English sentence.") == ("An English sentence.", None, None)


def test_parameter_errors_use_plain_words_on_pages(app):
    assert {f"bad_{name}" for name in KNOWN} <= PLAIN < set(ERRORS)
    for code in PLAIN:
        with app.test_request_context():
            said = explain(code, f"limit is 'x'; generation older {code}")
            assert said == (ERRORS[code], None, None)
        assert not re.search("parameter|YYYY|must be|given", said.text), code
        with app.test_request_context(headers=ARABIC):
            assert not re.search("[A-Za-z]", explain(code, "x").text), code


def test_a_command_is_the_same_in_every_language(app):
    message = "There is no index in /tmp/index yet."
    command = "warraq build --archive DIR --index /tmp/index"
    with app.test_request_context():
        assert explain("no_index", message, command) == (message, command, None)
    with app.test_request_context(headers=ARABIC):
        assert explain("no_index", message, command) == ("لم يُبنَ أي فهرس بعد.", command, None)
        said = explain("index_unusable", "It is of another make.", command)
        assert (said.command, said.detail) == (command, "It is of another make.")
        assert explain("a_code_of_tomorrow", "It rains.") == ("تعذّر تنفيذ الطلب.", None, "It rains.")


def test_a_page_without_an_index_is_arabic_but_for_the_command(index):
    service = SearchService(index, None, open_fake)
    service._refresh()
    page = page_of(create_app(service).test_client(), "/", 503, "ar", **ARABIC)
    (code,) = page.one("main").all("code")
    assert (code.text, code.parent["dir"]) == (f"warraq build --archive DIR --index {index}", "ltr")
    assert not re.search("[A-Za-z]", page.one("main").text.replace(code.text, ""))


NOTICES = {
    "damage": Notice("damage", "The index in x is damaged: y.", remedy="warraq build --rebuild --index x"),
    "no_model": Notice("no_model", "The model failed: passages were found by their words alone."),
    "undated": Notice("undated", "12 articles without a date were left out by the date filter.", 12),
    "dated": Notice("dated", "Only the 100 most relevant passages are put in order of date.", 100),
    "no_dates": Notice("no_dates", NO_DATES),
}


def test_notices_have_the_text_of_the_library_and_arabic(app):
    with app.test_request_context():
        for code, each in NOTICES.items():
            assert notice(each).text == each.message, code
        assert (
            notice(Notice("undated", "", 1)).text
            == "1 article without a date was left out by the date filter."
        )
    with app.test_request_context(headers=ARABIC):
        told = {code: notice(each) for code, each in NOTICES.items()}
        assert told["undated"].text == "استُبعد ١٢ مقالًا لا تاريخ لها عند التصفية بالتاريخ."
        assert "١٠٠" in told["dated"].text
        assert told["damage"].command == "warraq build --rebuild --index x"
        for each in told.values():
            assert not re.search("[A-Za-z0-9]", each.text)


def test_notices_of_a_search_have_an_arabic_text(client):
    page = page_of(client, f"/?{urlencode({'q': 'winter', 'from': '2024-01-01'})}", lang="ar", **ARABIC)
    (note,) = page.all("p", class_="note")
    assert "لا تاريخ" in note.text


# --- the catalog


def marked():
    """Every text that is marked for translation in code and templates: id, or pair of ids."""
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT / "web", methods, options, DEFAULT_KEYWORDS)
    return {text for _, _, text, _, _ in found}


def test_the_catalog_has_every_text_that_is_marked_and_no_other(catalog):
    assert {message.id for message in catalog if message.id} == marked()


def test_every_text_is_translated_in_all_its_forms(catalog):
    assert catalog.num_plurals == 6
    for message in catalog:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy or not message.id
        assert len(forms) == (6 if message.pluralizable else 1), message.id
        assert all(form.strip() for form in forms), message.id
        if message.id and any(char in string.ascii_letters for char in str(message.id)):
            assert all(
                re.search("[ء-ي]", PLACEHOLDER.sub("", form)) or PLACEHOLDER.search(form) for form in forms
            ), message.id
    assert catalog.obsolete == {}


def test_placeholders_are_the_same_in_both_languages(catalog):
    for message in catalog:
        if not message.pluralizable:
            assert sorted(PLACEHOLDER.findall(message.string)) == sorted(
                PLACEHOLDER.findall(message.id or "") if message.id else []
            ), message.id
            continue
        wanted = set(PLACEHOLDER.findall(message.id[1]))
        for at, form in enumerate(message.string):
            found = set(PLACEHOLDER.findall(form))
            assert found <= wanted, message.id
            # None, one and two are words in Arabic; from three on the number is written.
            assert wanted - found <= ({"n"} if at < 3 else set()), (message.id, form)
            assert "%" not in PLACEHOLDER.sub("", form)


def test_no_translation_has_latin_digits(catalog):
    for message in catalog:
        for form in message.string if isinstance(message.string, tuple) else (message.string,):
            if message.id:
                assert not LATIN_DIGIT.search(form.replace("UTF-8", "")), message.id


def test_catalog_plural_rule_is_that_of_the_language(catalog):
    rule = Locale("ar").plural_form
    names = ["zero", "one", "two", "few", "many", "other"]
    chosen = eval_c(catalog.plural_expr)
    assert [names[chosen(count)] for count in range(1_200)] == [rule(count) for count in range(1_200)]


def eval_c(expression):
    """Return a function of n from the C expression of a Plural-Forms header."""
    steps = [each.strip() for each in expression.strip("() ;").split(":")]

    def chosen(n):
        for step in steps:
            condition, _, value = step.partition("?")
            if not value:
                return int(step)
            if eval(condition.replace("&&", "and").replace("||", "or"), {"n": n}):
                return int(value)
        raise AssertionError(expression)

    return chosen


def test_compiled_catalog_equals_its_source():
    with CATALOG.open("rb") as file:
        catalog: Catalog = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    assert CATALOG.with_suffix(".mo").read_bytes() == compiled.getvalue()
    assert sorted(each.name for each in TRANSLATIONS.iterdir()) == ["ar", "babel.cfg"]


def test_archive_without_a_known_language_is_shown(tmp_path, index, model):
    """A passage without letters has a language that is not known, and its page says so in both languages."""
    (tmp_path / "articles").mkdir()
    Path(tmp_path / "articles" / "n.txt").write_text("12345 67890\n\n1 2 3 4 5 6 7 8 9", "utf-8")
    build_index(tmp_path / "articles", index, model)
    client = create_app(SearchService(index, None, open_fake)).test_client()
    assert "Unknown language" in page_of(client, "/?q=12345").one("main").text
    assert "لغة غير معروفة" in page_of(client, "/?q=12345", lang="ar", **ARABIC).one("main").text
