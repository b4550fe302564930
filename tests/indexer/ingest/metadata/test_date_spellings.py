"""Every spelling of a day, in each convention of month names."""

import calendar
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

from hijridate import Gregorian
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.ingest.metadata.dates import parse_date

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


def test_numbers_with_the_day_first_are_read_in_that_order():
    for day in DAYS:
        for sign in "/-.":
            assert parse_date(day.strftime(f"%d{sign}%m{sign}%Y"), day_first=True) == day.isoformat()


def test_hijri_dates_equal_those_of_the_converter():
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
