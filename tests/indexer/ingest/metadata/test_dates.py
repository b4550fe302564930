"""Dates as fields and first lines of articles write them, and what is no date of publication."""

import calendar
import time
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import pytest
from hijridate import Gregorian, Hijri
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.ingest.metadata.dates import find_published, parse_date

DAY = "2024-05-12"
TITLE = "الوزراء يبحثون خطة جديدة للمياه"
BODY = "قال الوزير إن المحادثات التي بدأت في 3 مارس 2023 مستمرة، وإن الوفود ستلتقي مجددا في جنيف قريبا."


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-12",
        "  2024-05-12\n",
        "2024-5-12",
        "20240512",
        "20240512T100000Z",
        "20240512100000",
        "2024-05-12T10:00",
        "2024-05-12T10:00:00Z",
        "2024-05-12t10:00:00z",
        "2024-05-12T10:00:00+03:00",
        "2024-05-12T10:00:00-0700",
        "2024-05-12T10:00:00.123456+03:00",
        "2024-05-12T10:00:00.123Z",
        "2024-05-12 10:00:00",
        "2024-05-12 10:00:00+03",
        "2024-05-12 10:00:00 UTC",
        "2024-05-12T10:00:00+03:00[Africa/Cairo]",
        "2024-05-12+03:00",
        "2024/5/12",
        "2024.05.12",
        "2024/05/12 10:00",
        "Sun, 12 May 2024 10:00:00 GMT",
        "Sun, 12 May 2024 10:00:00 +0300",
        "12 May 2024 10:00:00 -0700 (PDT)",
        "Sun May 12 10:00:00 2024",
        "Sun May 12 10:00:00 +0000 2024",
        "Sun May 12 2024 10:00:00 GMT+0300 (Arabian Standard Time)",
        "1715508000",
        "1715508000.25",
        "1715508000000",
    ],
)
def test_dates_that_machines_write(value):
    assert parse_date(value) == DAY


@pytest.mark.parametrize(
    "value",
    [
        "12 May 2024",
        "12 May, 2024",
        "12 MAY 2024",
        "12-May-2024",
        "12/May/2024:10:00:00 +0300",
        "12th May 2024",
        "the 12th of May 2024",
        "May 12, 2024",
        "May 12 2024",
        "May 12th, 2024",
        "2024 May 12",
        "Sunday, May 12, 2024 at 10:30 a.m. ET",
        "Sun. 12 May 2024, 10.30 pm",
        "Published: May 12, 2024",
        "Published on 12 May 2024 at 10:00 GMT+3",
        "Last updated 12 May 2024 (10:00 UTC)",
        "Date: 12 May 2024",
        "12 May 2024 | 5 min read",
        "📅 12 May 2024 – 10:30",
    ],
)
def test_dates_in_english(value):
    assert parse_date(value) == DAY


@pytest.mark.parametrize("written", ["Sept. 9, 2024", "Sep 9 2024", "9 Sept 2024", "September 9, 2024"])
def test_months_are_shortened_with_and_without_a_full_stop(written):
    assert parse_date(written) == "2024-09-09"


@pytest.mark.parametrize(
    "value",
    [
        "12 مايو 2024",
        "12 مايو، 2024",
        "12 مايو, 2024",
        "١٢ مايو ٢٠٢٤",
        "۱۲ مایو ۲۰۲۴",
        "12مايو2024",
        "12 من مايو 2024",
        "12 من شهر مايو 2024 م",
        "12 مايو 2024م",
        "12 مايو 2024 ميلادية",
        "مايو 12, 2024",
        "مايو 12، 2024",
        "12 مَايُو 2024",
        "12 مـــايو 2024",
        "\u200f12 مايو\u200f 2024",
        "12\u00a0مايو\u00a02024",
        "12 ﻣﺎﻳﻮ 2024",
        "الأحد 12 مايو 2024",
        "الاحد، ١٢ مايو ٢٠٢٤ - ١٠:٣٠ ص",
        "يوم الأحد الموافق 12 مايو 2024",
        "12 مايو/أيار 2024",
        "12 أيار/مايو 2024",
        "12 أيار / مايو 2024",
        "12 مايو (أيار) 2024",
        "12 أيار (مايو) 2024",
        "12 أيار - مايو 2024",
        "12 أيار – مايو 2024",
        "12 أيار مايو 2024",
        "12-مايو-2024",
        "نُشر في: 12 مايو 2024",
        "تاريخ النشر: الأحد 12 مايو 2024 الساعة 10:30 صباحاً",
        "آخر تحديث: 12 مايو 2024 - 10:30 مساءً بتوقيت مكة المكرمة",
        "12 مايو 2024 الساعة 10 بتوقيت غرينتش",
        "12 مايو 2024 10:30 م",
        "٢٠٢٤/٥/١٢",
    ],
)
def test_dates_in_arabic(value):
    assert parse_date(value) == DAY


@pytest.mark.parametrize("first", ["أول", "الأول من", "أول من", "1", "1 من", "٠١"])
def test_the_first_of_a_month_is_written_as_a_word_too(first):
    assert parse_date(f"{first} مايو 2024") == "2024-05-01"
    assert parse_date(f"{first} كانون الأول 2024") == "2024-12-01"


@pytest.mark.parametrize(
    "value",
    [
        "15 رمضان 1445 هـ",
        "15 رمضان 1445هـ",
        "15 رمضان 1445 ه",
        "١٥ رمضان ١٤٤٥ هجرية",
        "15 رمضان 1445",
        "15 رمضان المبارك 1445 هـ",
        "الاثنين، 15 رَمَضان، 1445",
        "رمضان 15, 1445",
        "15/9/1445 هـ",
        "1445-09-15 هـ",
    ],
)
def test_hijri_dates_are_those_of_umm_al_qura(value):
    assert parse_date(value) == "2024-03-25"


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("ربيع الاول", 3),
        ("ربيع الثاني", 4),
        ("ربيع الآخر", 4),
        ("جمادي الاولي", 5),
        ("جمادى الأول", 5),
        ("جمادى الآخرة", 6),
        ("جمادي الثانيه", 6),
        ("جمادى الاخره", 6),
        ("ذوالقعدة", 11),
        ("ذي القعده", 11),
        ("ذو الحجّة", 12),
        ("ذي الحجه", 12),
    ],
)
def test_hijri_months_are_spelt_in_several_ways(written, month):
    assert parse_date(f"7 {written} 1445 هـ") == Hijri(1445, month, 7).to_gregorian().isoformat()


@pytest.mark.parametrize(
    "value",
    [
        "15 رمضان 1445 هـ الموافق 25 مارس 2024 م",
        "25 مارس 2024 م الموافق 15 رمضان 1445 هـ",
        "الاثنين 15 رمضان 1445هـ - 25 مارس 2024م",
        "15 رمضان 1445 (25 مارس 2024)",
        "15/9/1445 هـ الموافق 25/3/2024 م",
        "16 رمضان 1445 هـ الموافق 25 مارس 2024 م",  # by the crescent of another country
        "1 محرم 1300 هـ الموافق 25 مارس 2024 م",
    ],
)
def test_of_two_calendars_the_gregorian_one_counts(value):
    assert parse_date(value) == "2024-03-25"


@pytest.mark.parametrize(
    ("value", "unsettled", "day_first"),
    [
        ("13/05/2024", "2024-05-13", "2024-05-13"),
        ("05/13/2024", "2024-05-13", "2024-05-13"),
        ("12/13/2024", "2024-12-13", "2024-12-13"),
        ("13/12/2024", "2024-12-13", "2024-12-13"),
        ("5/5/2024", "2024-05-05", "2024-05-05"),
        ("12/12/2024", "2024-12-12", "2024-12-12"),
        ("11/12/2024", None, "2024-12-11"),
        ("05/06/2024", None, "2024-06-05"),
        ("5-6-2024", None, "2024-06-05"),
        ("5.6.2024", None, "2024-06-05"),
        ("٥/٦/٢٠٢٤", None, "2024-06-05"),
        ("5 / 6 / 2024 م", None, "2024-06-05"),
        ("5/6/1445 هـ", None, "2023-12-18"),
        ("13/13/2024", None, None),
        ("31/4/2024", None, None),
        ("05/06/24", None, None),
        ("5/6-2024", None, None),
        ("2024-05-06", "2024-05-06", "2024-05-06"),
    ],
)
def test_numbers_that_are_two_days_are_none_unless_the_order_is_known(value, unsettled, day_first):
    assert parse_date(value) == unsettled
    assert parse_date(value, day_first=True) == day_first


@pytest.mark.parametrize(
    "value",
    [
        "",
        " \n",
        "unknown",
        "0000-00-00",
        "2024",
        "May 2024",
        "مايو 2024",
        "12 مايو",
        "12 May 24",
        "12 مايو 24",
        "30 February 2024",
        "2023-02-29",
        "31 أبريل 2024",
        "31 رمضان 1445",
        "2024-13-01",
        "20241301",
        "12 May 1799",
        "12 May 2100",
        "2100-01-01",
        "12 May 20245",
        "15 رمضان 1342",  # before and after the tables
        "15 رمضان 1501 هـ",
        "15 رمضان 2024",
        "15 رمضان 1445 م",
        "12 مايو 2024 هـ",
        "12 مايو 1445 هـ",
        "12 يونيو/تموز 2024",
        "15 رمضان/مارس 2024",
        "۱۴۰۳/۰۲/۲۳",  # a solar year of Iran, not a Hijri one
        "1403-02-23",
        "23/2/1403 هجري شمسي",
        "0",
        "171550800",
        "17155080000",
        "9999999999",
        "0000000000",
        "12:30",
        "2024 May 12:20:15",
        "12-14 May 2024",
        "May 12-14, 2024",
        "12 May 2024 - 14 May 2024",
        "31 كانون الأول 2023 - 2 كانون الثاني 2024",
        "12 May 2024 or so",
        "12 May 2024?",
        "~ 12 May 2024",
        "before 12 May 2024",
        "منذ 12 مايو 2024",
        "قبل 12 مايو 2024",
        "By Jane Doe, 12 May 2024",
        "The council met on 12 May 2024 in Geneva",
        "قال الوزير في 12 مايو 2024 إن المحادثات مستمرة",
        "12 May 2024" + " " * 300 + "12 May 2024",
        "12 × 5 × 2024",
        "१२ मई २०२४",
    ],
)
def test_what_names_no_whole_day_or_says_more_is_none(value):
    assert parse_date(value) is None
    assert parse_date(value, day_first=True) is None


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("Published 12 May 2024, updated 13 May 2024", DAY),
        ("Updated: 13 May 2024 | Published: 12 May 2024", DAY),
        ("12 May 2024 (updated 13 May 2024)", DAY),
        ("نشر في 12 مايو 2024 آخر تحديث 13 مايو 2024", DAY),
        ("تاريخ النشر: 4 ذو القعدة 1445 هـ / 12 مايو 2024 م - آخر تحديث: 13 مايو 2024", DAY),
        ("12 May 2024 | 2024-05-12", DAY),
        ("Published 05/06/2024 | Updated 13/06/2024", None),  # the update is not the publication
        ("Published 12 May 2024 | Published 13 May 2024", None),
    ],
)
def test_a_publication_counts_before_an_update(value, day):
    assert parse_date(value) == day


ENGLISH = "|".join(calendar.month_name[1:])
SHORT = "|".join(calendar.month_abbr[1:])
EGYPT = "يناير|فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر"
EGYPT_TOO = "يناير|فبراير|مارس|إبريل|مايو|يونيه|يوليه|اغسطس|سبتمبر|اكتوبر|نوفمبر|ديسمبر"
LEVANT = "كانون الثاني|شباط|آذار|نيسان|أيار|حزيران|تموز|آب|أيلول|تشرين الأول|تشرين الثاني|كانون الأول"
LEVANT_TOO = "كانون ثاني|شباط|اذار|نيسان|ايار|حزيران|تموز|اب|ايلول|تشرين أول|تشرين ثاني|كانون أول"
ALGERIA = "جانفي|فيفري|مارس|أفريل|ماي|جوان|جويلية|أوت|سبتمبر|أكتوبر|نوفمبر|ديسمبر"
MOROCCO = "يناير|فبراير|مارس|أبريل|ماي|يونيو|يوليوز|غشت|شتنبر|أكتوبر|نونبر|دجنبر"
MAURITANIA = "يناير|فبراير|مارس|إبريل|مايو|يونيو|يوليو|أغشت|شتمبر|أكتوبر|نوفمبر|دجمبر"
LIBYA = "أي النار|النوار|الربيع|الطير|الماء|الصيف|ناصر|هانيبال|الفاتح|التمور|الحرث|الكانون"
CONVENTIONS = [ENGLISH, SHORT, EGYPT, EGYPT_TOO, LEVANT, LEVANT_TOO, ALGERIA, MOROCCO, MAURITANIA, LIBYA]
TWO_NAMES = [(EGYPT, LEVANT), (LEVANT, EGYPT), (ALGERIA, EGYPT), (LEVANT_TOO, MOROCCO)]
HIJRI = [
    "محرم|صفر|ربيع الأول|ربيع الآخر|جمادى الأولى|جمادى الآخرة|رجب|شعبان|رمضان|شوال|ذو القعدة|ذو الحجة",
    "محرم|صفر|ربيع الاول|ربيع الثاني|جمادي الاولي|جمادي الثانيه|رجب|شعبان|رمضان|شوال|ذي القعده|ذي الحجه",
]
# Every 17th: all days of all months and of the week are among them.
DAYS = [
    date(1990, 1, 1) + timedelta(days) for days in range(0, (date(2030, 12, 31) - date(1990, 1, 1)).days, 17)
]
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def name(names, month):
    return names.split("|")[month - 1]


def spellings(day):
    """Every way to write one day: of machines, by the names of each convention, by two names."""
    moment = datetime(day.year, day.month, day.day, 21, 5, 9, tzinfo=UTC)
    yield from (day.isoformat(), f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day.year}.{day.month}.{day.day}")
    yield from (
        moment.isoformat(),
        f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        format_datetime(moment),
        moment.ctime(),
    )
    for names in CONVENTIONS:
        month = name(names, day.month)
        yield f"{day.day} {month} {day.year}"
        yield f"{month} {day.day}, {day.year}"
        yield f"{day:%d}-{month}-{day.year}م".translate(ARABIC_DIGITS)
        yield f"{day.day} {month}، {day.year}".translate(PERSIAN_DIGITS)
    for one, other in ((name(first, day.month), name(second, day.month)) for first, second in TWO_NAMES):
        for both in (
            f"{one}/{other}",
            f"{one} / {other}",
            f"{one} ({other})",
            f"{one} - {other}",
            f"{one} {other}",
        ):
            yield f"{day.day} {both} {day.year}"


def test_every_spelling_of_a_day_is_read_as_that_day():
    wrong = [(day, text) for day in DAYS for text in spellings(day) if parse_date(text) != day.isoformat()]
    assert wrong == []


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.dates(date(1800, 1, 1), date(2099, 12, 31)))
def test_every_spelling_is_read_in_all_years_of_articles(day):
    assert {text for text in spellings(day) if parse_date(text) != day.isoformat()} == set()


def test_unix_time_is_read_in_utc_in_seconds_and_milliseconds():
    first = date(2001, 9, 10)  # of ten digits
    for day in (day for day in DAYS if day >= first):
        for hour in (0, 23):
            stamp = int(datetime(day.year, day.month, day.day, hour, 59, tzinfo=UTC).timestamp())
            assert parse_date(str(stamp)) == parse_date(f"{stamp}999") == day.isoformat()


def test_numbers_with_the_day_first_are_read_as_they_are_written():
    for day in DAYS:
        for sign in "/-.":
            assert parse_date(day.strftime(f"%d{sign}%m{sign}%Y"), day_first=True) == day.isoformat()


def test_hijri_dates_are_read_as_the_converter_wrote_them():
    wrong = []
    for day in DAYS:
        hijri = Gregorian.fromdate(day).to_hijri()
        month, year = hijri.month_name("ar"), hijri.year
        texts = [f"{hijri.day} {name(names, hijri.month)} {year} هـ" for names in HIJRI]
        texts += [
            f"{hijri.day} {month} {year}",
            f"{hijri.day:02} {month} {year}هـ".translate(ARABIC_DIGITS),
        ]
        wrong += [(day, text) for text in texts if parse_date(text) != day.isoformat()]
    assert wrong == []


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
def test_a_line_of_nothing_but_date_names_and_words_of_publication_is_taken(line):
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
def test_a_dateline_is_taken(line):
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
def test_dates_of_events_and_of_no_whole_day_are_not_taken(line):
    assert published(line, day_first=True) is None
    assert published(BODY, line, BODY, day_first=True) is None


def test_dates_that_are_two_days_are_taken_only_where_the_order_is_known():
    assert published("نشر في 05/06/2024") is None
    assert published("نشر في 05/06/2024", day_first=True) == "2024-06-05"


@pytest.mark.parametrize("title", [DAY, "12 مايو 2024", "Published 12 May 2024", "أحداث 25 يناير 2011"])
def test_the_title_is_never_taken_nor_its_repetition(title):
    assert find_published([title]) is None
    assert find_published([title, BODY]) is None
    assert find_published([title, title, BODY]) is None
    assert find_published([title, "2023-01-01"]) == "2023-01-01"


def test_only_the_first_eight_lines_are_asked():
    assert published(*["سطر"] * 6, DAY) == DAY
    assert published(*["سطر"] * 7, DAY) is None
    assert find_published([]) is None


def test_of_several_lines_the_publication_counts_then_the_first_then_an_update():
    update, plain, publication = "Updated 14 May 2024", "13 May 2024", "Published 12 May 2024"
    assert published(update, plain, publication) == DAY
    assert published(plain, publication, update) == DAY
    assert published(update, plain) == "2024-05-13"
    assert published(update, BODY) == "2024-05-14"
    assert published(plain, "11 May 2024") == "2024-05-13"
    assert published("Updated 14 May 2024", "GENEVA, May 12, 2024 (Agency) — Envoys met.") == DAY


def test_an_update_is_not_taken_for_a_publication_that_cannot_be_read():
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
def test_a_paragraph_that_starts_with_a_date_otherwise_is_not_one_with_a_dateline(start):
    assert published(f"{start} {BODY}") is None
    assert published(f"{start} {BODY * 3}") is None


def test_a_date_line_is_short():
    line = "القاهرة | 12 مايو 2024"
    assert published(f"{line} {'|' * 90}") == DAY
    assert published(f"{line} {'|' * 110}") is None


PIECES = st.sampled_from(
    [
        *(
            "0",
            "1",
            "5",
            "12",
            "13",
            "31",
            "2024",
            "1445",
            "20240512",
            "1715508000",
            "٢٠٢٤",
            "۱۲",
            "٥",
            "²",
            "½",
            "१",
        ),
        *(
            "May",
            "Sept.",
            "AM",
            "th",
            "Published",
            "Updated",
            "by",
            "on",
            "Jane",
            "T",
            "Z",
            "GMT",
            "+03:00",
            "10:30",
        ),
        *(
            "مايو",
            "أيار",
            "كانون",
            "الأول",
            "الثاني",
            "رمضان",
            "ذو القعدة",
            "هـ",
            "م",
            "من",
            "في",
            "نشر",
            "كتب",
        ),
        *(
            "القاهرة",
            "وكالة",
            "الموافق",
            "بتوقيت",
            "الساعة",
            "ﷺ",
            "ـ",
            "\u064e",
            "\u200f",
            "İ",
            "ß",
            "\0",
            "\ud800",
        ),
        *" \n\t/-–—.,،:|•()[]«»+~?؟'\\@",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=40).map("".join), st.lists(PIECES).map(" ".join)
)


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(TEXTS, st.booleans())
def test_any_text_is_a_day_of_the_years_of_articles_or_none(text, day_first):
    for day in (parse_date(text, day_first), find_published([TITLE, text, text + BODY], day_first)):
        assert day is None or (date.fromisoformat(day).isoformat() == day and 1800 <= int(day[:4]) <= 2099)
    assert find_published([text], day_first) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS)
def test_what_is_one_day_without_knowing_the_order_is_that_day_with_it(text):
    assert parse_date(text) in (None, parse_date(text, day_first=True))


@pytest.mark.parametrize(
    "piece",
    [
        *(
            " ",
            "1",
            "12 ",
            "12/",
            "2024-",
            "1:",
            "May ",
            "12 May ",
            "12 مايو/",
            "كانون ",
            "أ",
            "ـ",
            "\u064e",
            "ﷺ",
        ),
        *(
            "-",
            "- ",
            "(",
            "()",
            "(a ",
            "[a_/",
            "w,",
            "Aa/",
            "A.",
            "A'",
            "نشر ",
            "كتب ",
            "by ",
            "12 May 2024 - (",
            "،",
        ),
    ],
)
@pytest.mark.parametrize("length", [190, 100_000])
def test_long_and_hostile_texts_are_read_at_once(piece, length):
    text = (piece * length)[:length]
    texts = [text, f"12 May 2024 {text}", f"{text} 12 May 2024", f"CAIRO {text}", text[:150]]
    started = time.process_time()
    for each in texts:
        parse_date(each)
        find_published([TITLE, *[each + str(number) for number in range(7)]])
    assert time.process_time() - started < 1
