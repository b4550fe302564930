"""Dates as fields write them, and texts that are no date."""

import time
from datetime import date

import pytest
from hijridate import Hijri
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.ingest.metadata.dates import find_published, parse_date
from tests.support.date_samples import BODY, DAY, TITLE


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
def test_machine_written_dates_are_read(value):
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
def test_english_dates_are_read(value):
    assert parse_date(value) == DAY


@pytest.mark.parametrize("written", ["Sept. 9, 2024", "Sep 9 2024", "9 Sept 2024", "September 9, 2024"])
def test_month_abbreviations_are_read_with_and_without_a_full_stop(written):
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
def test_arabic_dates_are_read(value):
    assert parse_date(value) == DAY


@pytest.mark.parametrize("first", ["أول", "الأول من", "أول من", "1", "1 من", "٠١"])
def test_first_of_a_month_is_read_as_a_word(first):
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
def test_gregorian_date_wins_over_the_hijri_date(value):
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
def test_ambiguous_numbers_are_no_date_without_a_known_order(value, unsettled, day_first):
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
def test_partial_dates_and_longer_texts_are_no_date(value):
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
def test_publication_date_wins_over_an_update(value, day):
    assert parse_date(value) == day


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
def test_any_text_gives_a_day_in_range_or_none(text, day_first):
    for day in (parse_date(text, day_first), find_published([TITLE, text, text + BODY], day_first)):
        assert day is None or (date.fromisoformat(day).isoformat() == day and 1800 <= int(day[:4]) <= 2099)
    assert find_published([text], day_first) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS)
def test_unambiguous_date_is_the_same_with_a_known_order(text):
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
def test_long_and_hostile_texts_are_read_in_bounded_time(piece, length):
    text = (piece * length)[:length]
    texts = [text, f"12 May 2024 {text}", f"{text} 12 May 2024", f"CAIRO {text}", text[:150]]
    started = time.process_time()
    for item in texts:
        parse_date(item)
        find_published([TITLE, *[item + str(number) for number in range(7)]])
    assert time.process_time() - started < 1
