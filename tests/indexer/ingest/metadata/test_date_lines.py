"""Dates in the first lines of articles."""

import pytest

from indexer.ingest.metadata.dates import find_published
from tests.support.date_samples import BODY, DAY, TITLE


def published(*lines, day_first=False):
    return find_published([TITLE, *lines], day_first)


@pytest.mark.parametrize(
    "line",
    [
        "12 مايو 2024",
        "2024-05-12",
        "2024-05-12T10:00:00+03:00",
        "الأحد 12 مايو 2024 - 10:30 ص",
        "الأحد 4 ذو القعدة 1445 هـ الموافق 12 مايو 2024 م",
        "نُشر في 12 مايو 2024",
        "تاريخ النشر: 12/5/2024 م",
        "تم نشر المقال في: 12 مايو 2024",
        "نشر في: 12 مايو 2024 | آخر تحديث: 13 مايو 2024",
        "آخر تحديث: 13 مايو 2024 • نشر في: 12 مايو 2024",
        "كتب أحمد سالم | 12 مايو 2024",
        "كتب: أحمد سالم – القاهرة – 12 مايو 2024",
        "كتب أحمد سالم الأحد 12 مايو 2024 10:30 م",
        "كتبت/ سارة محمود من غزة، 12 مايو 2024",
        "بقلم: د. أحمد سالم 12 مايو 2024",
        "نشر بواسطة أحمد سالم في 12 مايو 2024",
        "محمد علي | 12 مايو 2024",
        "القاهرة، 12 مايو 2024",
        "القاهرة ـ 12 مايو 2024",
        "الجزيرة نت | 12 مايو/أيار 2024",
        "12 مايو 2024 · القاهرة – صحيفة النهار",
        "رويترز 12 مايو 2024",
        "«صحيفة النهار» – ١٢ مايو ٢٠٢٤",
        "📅 12 مايو 2024 🕒 10:30",
        "Published 12 May 2024",
        "Published: May 12, 2024 at 10:30 AM EDT | Updated: May 13, 2024",
        "PUBLISHED ON MAY 12, 2024",
        "Posted on May 12, 2024 by admin",
        "Posted by Jane Doe on May 12, 2024",
        "By Jane Doe | May 12, 2024",
        "By Jane Doe and John Smith, May 12, 2024, 5 min read",
        "By Jane Doe May 12, 2024",
        "BBC News – 12 May 2024",
        "aljazeera.net | 12 May 2024",
        "Jane Doe, The Guardian, Sun 12 May 2024 10.30 BST",
        "GENEVA (Reuters) – May 12, 2024",
    ],
)
def test_line_of_only_date_names_and_publication_words_gives_the_date(line):
    assert published(line, BODY, day_first=True) == DAY
    assert published(BODY, line) == published(line)


@pytest.mark.parametrize(
    "line",
    [
        "القاهرة – 12 مايو 2024 (وكالة) – قال الوزير إن المحادثات مستمرة.",
        "القاهرة، الأحد 12 مايو/أيار 2024 — أعلنت الوزارة خطة جديدة للمياه.",
        "القاهرة ـ 12 مايو 2024 ـ أعلنت الوزارة خطة جديدة للمياه.",
        "القاهرة (رويترز) 12 مايو 2024 – قال الوزير إن المحادثات مستمرة.",
        "القاهرة (رويترز) – 12 مايو 2024 – قال الوزير إن المحادثات مستمرة.",
        "عمان 12 أيار 2024 (بترا) -- قال رئيس الوزراء إن الخطة جاهزة.",
        "رام الله 12-5-2024 وفا- أعلنت الوزارة خطة جديدة.",
        "القاهرة، 12 مايو 2024 (أ ف ب) – أعلنت الوزارة خطة جديدة.",
        "الرياض، 4 ذو القعدة 1445 هـ الموافق 12 مايو 2024 م (واس) – أعلنت الوزارة خطة جديدة.",
        "(بيروت، 12 مايو/أيار 2024) – قالت المنظمة إن على السلطات أن تفتح الملفات.",
        "[بيروت، 12 أيار 2024] قالت المنظمة إن على السلطات أن تفتح الملفات.",
        "القاهرة (رويترز، 12 مايو 2024) – قال الوزير إن المحادثات مستمرة.",
        "GENEVA, May 12, 2024 (Agency) — Envoys met to discuss the grain corridor.",
        "NEW YORK, May 12, 2024 /PRNewswire/ -- The company announced its results.",
        "WASHINGTON, D.C., May 12, 2024 – The ministers said that they had agreed.",
        "CAIRO (May 12, 2024) — The ministry announced a plan.",
        "CAIRO (Reuters) - May 12, 2024 - The ministry announced a plan.",
        "REUTERS, 12 May 2024 – The ministry announced a plan.",
    ],
)
def test_dateline_gives_the_date(line):
    assert published(line, day_first=True) == DAY
    assert published(line + " " + BODY * 20, day_first=True) == DAY
    assert published(BODY, line, BODY, day_first=True) == DAY


@pytest.mark.parametrize(
    "line",
    [
        BODY,
        "أحداث 25 يناير 2011",
        "ثورة 25 يناير 2011 – القصة الكاملة لما جرى في الميدان وما بعده",
        "هجمات 11 سبتمبر 2001: ماذا تغير؟",
        "قتل خمسة جنود في 12 مايو 2024",
        "وقعت الاتفاقية في 12 مايو 2024.",
        "نشر الجيش قواته في 12 مايو 2024",
        "كتب ترامب في 12 مايو 2024",
        "انتهت المهلة، 12 مايو 2024.",
        "في القاهرة، 12 مايو 2024 – اندلع حريق كبير في سوق المدينة القديمة",
        "من بيروت إلى جنيف، 12 مايو 2024",
        "منذ 12 مايو 2024 والمحادثات متوقفة",
        "12 مايو 2024 كان يوما طويلا",
        "12 مايو 2024: افتتاح المعرض",
        "الموعد: 12 مايو 2024",
        "تاريخ الميلاد: 12 مايو 1950",
        "ولد 12 مايو 1950",
        "صورة أرشيفية، 12 مايو 2024",
        "نجيب محفوظ (11 ديسمبر 1911 – 30 أغسطس 2006) روائي وكاتب مصري",
        "نجيب محفوظ (القاهرة، 11 ديسمبر 1911 - القاهرة، 30 أغسطس 2006) روائي",
        "معرض القاهرة للكتاب، 12 مايو 2024 - 20 مايو 2024",
        "القاهرة، 12 - 14 مايو 2024",
        "القاهرة – 12 مايو (وكالة) – قال الوزير إن المحادثات مستمرة.",
        "مايو 2024",
        "12 مايو",
        "نشر في 12/05/24",
        "Attacks of 11 September 2001",
        "The council met on 12 May 2024.",
        "On 12 May 2024 the council met in Geneva.",
        "In Cairo, May 12, 2024 — the talks went on.",
        "Smoke rises over Gaza, May 12, 2024",
        "Geneva, where envoys met on May 12, 2024 (Sunday) — is quiet again.",
        "Muhammad Ali (January 17, 1942 – June 3, 2016) was an American boxer.",
        "Muhammad Ali (born January 17, 1942) — an American boxer.",
        "Date of birth: 12 May 1950",
        "Born: 12 May 1950",
        "by 12 May 2024",
        "On Sunday 12 May 2024",
        "في 12 مايو 2024",
        "نجيب محفوظ (11 ديسمبر 1911)",
        "نجيب محفوظ (11 ديسمبر 1911 -)",
        "Photo: Jane Doe, 12 May 2024",
        "Deadline: 12 May 2024",
        "12 May 2024 – 20 May 2024",
        "ID 20240512",
        "+20 10 2024 0512",
        "أحمد سالم ومحمد علي وسارة محمود وليلى حسن ويوسف كريم | 12 مايو 2024",
    ],
)
def test_event_dates_and_partial_dates_are_ignored(line):
    assert published(line, day_first=True) is None
    assert published(BODY, line, BODY, day_first=True) is None


def test_ambiguous_dates_are_read_only_with_a_known_order():
    assert published("نشر في 05/06/2024") is None
    assert published("نشر في 05/06/2024", day_first=True) == "2024-06-05"


@pytest.mark.parametrize("title", [DAY, "12 مايو 2024", "Published 12 May 2024", "أحداث 25 يناير 2011"])
def test_title_and_its_repetition_give_no_date(title):
    assert find_published([title]) is None
    assert find_published([title, BODY]) is None
    assert find_published([title, title, BODY]) is None
    assert find_published([title, "2023-01-01"]) == "2023-01-01"


def test_only_the_first_eight_lines_are_read():
    assert published(*["سطر"] * 6, DAY) == DAY
    assert published(*["سطر"] * 7, DAY) is None
    assert find_published([]) is None


def test_publication_line_wins_over_the_first_and_over_an_update():
    update, plain, publication = "Updated 14 May 2024", "13 May 2024", "Published 12 May 2024"
    assert published(update, plain, publication) == DAY
    assert published(plain, publication, update) == DAY
    assert published(update, plain) == "2024-05-13"
    assert published(update, BODY) == "2024-05-14"
    assert published(plain, "11 May 2024") == "2024-05-13"
    assert published("Updated 14 May 2024", "GENEVA, May 12, 2024 (Agency) — Envoys met.") == DAY


def test_update_does_not_replace_an_unreadable_publication_date():
    assert published("Published 05/06/2024", "Updated 13/06/2024") is None
    assert published("Published 05/06/2024", "Updated 13/06/2024", day_first=True) == "2024-06-05"
    assert published("Published 05/06/2024", "GENEVA, June 5, 2024 (Agency) — Envoys met.") == "2024-06-05"


@pytest.mark.parametrize(
    "start",
    [
        "12 May 2024 (Sunday) –",
        "12 May 2024 (Good Friday) –",
        "12 مايو 2024 –",
        "(12 مايو 2024)",
        "ثورة 25 يناير 2011 –",
        "نجيب محفوظ (11 ديسمبر 1911 – 30 أغسطس 2006)",
        "نجيب محفوظ (القاهرة، 11 ديسمبر 1911)",
        "معرض القاهرة للكتاب، 12 مايو 2024 – 20 مايو 2024،",
        "معرض القاهرة، 12 مايو 2024 – الأحد 19 مايو 2024،",
        "(القاهرة، 12 مايو 2024) – 20 مايو 2024،",
        "الهيئة العامة للكتاب ووزارة الثقافة والسياحة، 12 مايو 2024 –",
        "INTERNATIONAL HEADQUARTERS, CONSTANTINOPLE AND TRANSCAUCASIA, MAY 12, 2024 –",
        "القاهرة، 12 مايو 2024، اندلع حريق –",
    ],
)
def test_paragraph_that_starts_with_a_date_has_no_dateline(start):
    assert published(f"{start} {BODY}") is None
    assert published(f"{start} {BODY * 3}") is None


def test_a_date_line_is_short():
    line = "القاهرة | 12 مايو 2024"
    assert published(f"{line} {'|' * 90}") == DAY
    assert published(f"{line} {'|' * 110}") is None
