"""Find the dates of articles and return them as ISO days, or None where the day is uncertain. Pure functions.

The result is the day that is written: it depends on no clock, no file time and no time zone. A date that can
be read as two different days is unknown. Hijri dates follow the Umm al-Qura calendar, Iranian ones the solar
calendar; a month's name tells which.

A text is split from left to right into items, each with a code of one letter. The formats of a metadata
field, a date line and a dateline are then regular expressions over the codes:

    D H  a date, Gregorian or another      P U  published, updated
    t n  a time of day, a word near one    b a  begins a byline: «كتب», "by" (which may have «في», "on")
    p    a preposition before a date       w g  any other word, a news agency
    x    a word of sentences               0 o  any other number, anything else
    - ( ) , : / . |  punctuation; similar signs share one code
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

from hijridate import Hijri

from indexer.text.normalize import ARABIC_MARKS, DIGITS, HAMZA, INVISIBLE, LETTERS, TATWEEL

YEARS = range(1800, 2100)
STAMP_YEARS = range(1990, 2100)  # years that a Unix time may be in
FIELD = 200  # code points; a longer value of a metadata field is prose
LINES = 8  # first lines of an article, with the title, that are searched for its date
DATE_LINE = 120  # code points; a longer line is a paragraph
NAMES = 6  # other words that a date line may have: a byline and a city
DATELINE_NAMES = 5  # words that a dateline may have before its date: a place and an agency
DATELINE = 60  # code points from the start of a paragraph to the end of its dateline's date
OPENING = 160  # code points at the start of a line that are examined: a dateline with its agency fits


class _Role(IntEnum):
    """The event that a date belongs to; a lower value is a better day of publication."""

    PUBLISHED = 0
    UNSTATED = 1
    UPDATED = 2


@dataclass(frozen=True, slots=True)
class _Item:
    code: str
    end: int  # offset in the normalized text
    day: str | None = None


@dataclass(frozen=True, slots=True)
class _StatedDate:
    role: _Role
    day: str | None


def parse_date(value: str, day_first: bool = False) -> str | None:
    """Return the day that a metadata field states, YYYY-MM-DD; None if it states no day or several.

    A number is Unix time, in seconds or milliseconds, in UTC. `day_first` decides how to read 5/6/2024, which
    is otherwise unknown. A Gregorian date takes precedence over a Hijri one, and a date of publication over a
    date of an update.
    """
    value = value.strip()
    if len(value) > FIELD:
        return None
    if stamp := _STAMP.fullmatch(_normalize(value)):
        return _day_of_timestamp(stamp[1])
    items = _items(value, day_first)
    stated = _best_date(items) if _FIELD.fullmatch(_codes(items)) else None
    return stated.day if stated else None


def find_published(lines: Sequence[str], day_first: bool = False) -> str | None:
    """Return the day of publication that an article's first lines state, YYYY-MM-DD; None if uncertain.

    `lines` are the nonblank lines in order, title first. A date is taken from a date line, which has nothing
    but a date and who, where and when (`Published 12 May 2024 | By Jane Doe`), and from a dateline («القاهرة
    – 12 مايو 2024 (وكالة) – قال …»), never from a sentence or the title.
    """
    title, head = lines[:1], lines[1:LINES]
    # Skip copies of the title too: it is often repeated above the text.
    dates = [stated for line in head if line not in title and (stated := _date_of_line(line, day_first))]
    # Use the date of an update only if no line states a publication, even one whose date is unreadable.
    dates = [stated for stated in dates if stated.role is not _Role.UPDATED] or dates
    readable = [stated for stated in dates if stated.day]
    return min(readable, key=lambda stated: stated.role).day if readable else None


def _date_of_line(line: str, day_first: bool) -> _StatedDate | None:
    """Return the date that a date line or a dateline states; None for any other line."""
    line = line.strip()
    items = _items(line[:OPENING], day_first)
    codes = _codes(items)
    if len(line) <= DATE_LINE and _is_date_line(codes):
        return _best_date(items)
    dateline = _DATELINE.match(codes)
    if not dateline:
        return None
    items = items[: dateline.end()]
    date_places = [number for number, item in enumerate(items) if item.code in "DH"]
    before_date = codes[: date_places[0]]
    names = before_date.count("w")
    if not re.search("[wg]", before_date) or names > DATELINE_NAMES or items[date_places[-1]].end > DATELINE:
        return None
    return _best_date(items)


def _is_date_line(codes: str) -> bool:
    if _AGENCY_LINE.fullmatch(codes):
        return True
    if codes.count("w") > NAMES or _OTHER_DATE.search(codes) or re.search(r"[wg].*\.$", codes):
        return False
    return all(_PART.fullmatch(part) for part in _SEPARATOR.split(codes))


def _best_date(items: Iterable[_Item]) -> _StatedDate | None:
    """Return the date with the best role among the items; None if they hold no date.

    A Gregorian date precedes a Hijri one. If several days share the best role, the day is unknown.
    """
    role = _Role.UNSTATED
    dates: list[tuple[_Role, str, str | None]] = []  # role, code of the calendar, day
    for item in items:
        if item.code in "PU":
            role = _Role.PUBLISHED if item.code == "P" else _Role.UPDATED
        elif item.code in "DH":
            dates.append((role, item.code, item.day))
    if not dates:
        return None
    best, calendar, _ = min(dates, key=lambda entry: entry[:2])  # "D" sorts before "H"
    days = {day for *key, day in dates if key == [best, calendar]}
    return _StatedDate(best, days.pop() if len(days) == 1 else None)


_INVISIBLE = re.compile(f"[{ARABIC_MARKS}{INVISIBLE}]")
# A tatweel that stands alone is a dash («القاهرة ـ 12 مايو»); next to a letter it only stretches the letter.
_DASHING_TATWEEL = re.compile(r"(?<![^\W\d_])ـ+(?![^\W\d_])")
_PUNCTUATION = str.maketrans("‐‒–—―−" + "؍⁄∕" + "٫", "------" + "///" + ".", TATWEEL)
_SPELLING = {**LETTERS, **HAMZA, **DIGITS, **_PUNCTUATION}


def _normalize(text: str) -> str:
    """Return a text with one spelling for letters, digits, dashes and spaces that vary; keeps upper case."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(_DASHING_TATWEEL.sub("-", text).translate(_SPELLING).split())


def _lower(text: str) -> str:
    """Return a text in lower case, except letters whose lower case is longer, so that offsets stay valid."""
    return "".join(lowered if len(lowered := char.lower()) == 1 else char for char in text)


_GREGORIAN = (  # English; Egypt and the Gulf; Levant and Iraq; Maghreb; Libya until 2011
    "january|jan|يناير|كانون الثاني|كانون ثاني|جانفي|أي النار",
    "february|feb|فبراير|شباط|فيفري|النوار",
    "march|mar|مارس|آذار|الربيع",
    "april|apr|أبريل|نيسان|أفريل|الطير",
    "may|مايو|أيار|ماي|الماء",
    "june|jun|يونيو|يونيه|حزيران|جوان|الصيف",
    "july|jul|يوليو|يوليه|تموز|جويلية|يوليوز|ناصر",
    "august|aug|أغسطس|آب|أوت|غشت|أغشت|هانيبال",
    "september|sept|sep|سبتمبر|أيلول|شتنبر|شتمبر|الفاتح",
    "october|oct|أكتوبر|تشرين الأول|تشرين أول|التمور",
    "november|nov|نوفمبر|تشرين الثاني|تشرين ثاني|نونبر|الحرث",
    "december|dec|ديسمبر|كانون الأول|كانون أول|دجنبر|دجمبر|الكانون",
)
_HIJRI = (
    "محرم|المحرم|محرم الحرام",
    "صفر",
    "ربيع الأول|ربيع أول",
    "ربيع الآخر|ربيع الثاني|ربيع آخر|ربيع ثاني",
    "جمادى الأولى|جمادى الأول|جماد الأول|جماد أول",
    "جمادى الآخرة|جمادى الثانية|جمادى الآخر|جمادى الثاني|جماد الآخر|جماد الثاني|جماد ثاني",
    "رجب",
    "شعبان",
    "رمضان|رمضان المبارك",
    "شوال",
    "ذو القعدة|ذي القعدة",
    "ذو الحجة|ذي الحجة",
)
_IRANIAN = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد|امرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
# The name of a month, normalized and without spaces («ذوالقعدة» is common too), to the calendar's code and
# the month's number.
_MONTHS = {
    _normalize(name).replace(" ", ""): (code, number)
    for code, calendar in (("D", _GREGORIAN), ("H", _HIJRI), ("I", _IRANIAN))
    for number, names in enumerate(calendar, start=1)
    for name in names.split("|")
}
_EVERY_NAME = "|".join(_GREGORIAN + _HIJRI + _IRANIAN).split("|")
_SPELLED = {_normalize(name).replace(" ", " ?") for name in _EVERY_NAME}
# Sorted in reverse, so that a longer name is tried before its own beginning.
_NAME = rf"(?:{'|'.join(sorted(_SPELLED, reverse=True))})(?![^\W\d_])"
_CALENDARS = {
    **dict.fromkeys(_normalize("م ميلادي ميلادية ad ce").split(), "D"),
    **dict.fromkeys(_normalize("ه هجري هجرية ah").split(), "H"),
}

_YEAR = "(?P<year>[0-9]{4})(?![0-9])"
_FIRST = rf"(?:{_normalize('أول|الأول|غرة')})(?= )"
_DAY = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?![0-9:])"
_MONTH = rf"(?P<month>{_NAME})\.?(?: ?[-/(]? ?(?P<twin>{_NAME}) ?\)?)?"
_CALENDAR = rf"(?: ?(?P<calendar>{'|'.join(_CALENDARS)})(?:(?!\w)|(?=الموافق)))?"
_GAP = "[ ,،./-]"
_CLOCK_AND_ZONE = r"(?: [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: (?:[+-][0-9]{4}|[a-z]{2,5}))?)?"
_SHAPES = tuple(
    re.compile(shape + _CALENDAR)
    for shape in (
        rf"(?:{_DAY}|{_FIRST})(?: of| من)?(?: شهر)?{_GAP}{{0,3}}{_MONTH}{_GAP}{{0,3}}{_YEAR}",
        rf"{_MONTH}{_GAP}{{0,3}}{_DAY}{_CLOCK_AND_ZONE}{_GAP}{{1,3}}{_YEAR}",  # Sun May 12 10:00:00 2024
        rf"{_YEAR}{_GAP}{{1,3}}{_MONTH}{_GAP}{{0,3}}{_DAY}",
        r"(?P<year>[0-9]{4}) ?(?P<sep>[-/.]) ?(?P<number>[0-9]{1,2}) ?(?P=sep) ?(?P<day>[0-9]{1,2})(?![0-9])",
        r"(?P<year>[0-9]{4})(?P<number>[0-9]{2})(?P<day>[0-9]{2})(?:[0-9]{6})?(?![0-9])",
        rf"(?P<one>[0-9]{{1,2}}) ?(?P<sep>[-/.\\]) ?(?P<two>[0-9]{{1,2}}) ?(?P=sep) ?{_YEAR}",
    )
)
_STAMP = re.compile(r"([0-9]{10}|[0-9]{13})(?:\.[0-9]+)?")


def _date_at(text: str, offset: int, day_first: bool) -> _Item | None:
    for shape in _SHAPES:
        if match := shape.match(text, offset):
            parts = {name: part for name, part in match.groupdict().items() if part}
            code, day = _calendar_and_day(parts, day_first)
            return _Item("D" if code == "D" else "H", match.end(), day)
    return None


def _calendar_and_day(parts: dict[str, str], day_first: bool) -> tuple[str, str | None]:
    """Return the code of the calendar and the ISO day of a date's parts; an uncertain day is None."""
    stated_calendar = _CALENDARS.get(parts.get("calendar", ""))
    code, year, day = stated_calendar or "D", int(parts["year"]), int(parts.get("day", 1))
    if "month" in parts:
        code, month = _MONTHS[parts["month"].replace(" ", "")]
        twin = _MONTHS[parts.get("twin", parts["month"]).replace(" ", "")]
        if twin != (code, month) or stated_calendar not in (None, code):
            return code, None  # two different months, or a month of the other calendar
    elif "number" in parts:
        month = int(parts["number"])
    else:
        day, month = int(parts["one"]), int(parts["two"])
        if day <= 12 < month:
            day, month = month, day
        elif day <= 12 and day != month and not day_first:
            return code, None
    return code, _TO_DAY[code](year, month, day)


def _gregorian(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat() if year in YEARS else None
    except ValueError:
        return None


def _hijri(year: int, month: int, day: int) -> str | None:
    try:
        return Hijri(year, month, day).to_gregorian().isoformat()
    except (ValueError, OverflowError):  # no such day, or a year outside the tables
        return None


def _iranian(year: int, month: int, day: int) -> str | None:
    """Return the ISO day of an Iranian date: six months of 31 days, then of 30; the last has 29 or 30."""
    last = 31 if month <= 6 else 30 if month < 12 or _is_leap(year) else 29
    if not (_IRANIAN_YEARS[0] <= year <= _IRANIAN_YEARS[-1] and 1 <= month <= 12 and 1 <= day <= last):
        return None
    first = _IRANIAN_YEARS[0]
    days = 365 * (year - first) + sum(map(_is_leap, range(first, year)))
    days += 31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1
    return (_FIRST_IRANIAN_DAY + timedelta(days)).isoformat()


def _is_leap(year: int) -> bool:
    """Return whether an Iranian year has a leap day: eight times in 33 years, which holds for these years."""
    return year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)


_IRANIAN_YEARS = range(1300, 1473)
_FIRST_IRANIAN_DAY = date(1921, 3, 21)  # of the year 1300
_TO_DAY = {"D": _gregorian, "H": _hijri, "I": _iranian}


def _day_of_timestamp(digits: str) -> str | None:
    day = datetime.fromtimestamp(int(digits[:10]), UTC).date()
    return day.isoformat() if day.year in STAMP_YEARS else None


_HALF = r"(?:[ap]\.? ?m\.?|[صم]|صباحا|مساا?|ظهرا|عصرا|فجرا|ليلا)(?!\w)"
_OFFSET = (
    r"(?: ?[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}(?! ?[^\W_]))(?![0-9/.-])"
    r"|(?: ?(?:utc|gmt) ?[+-][0-9]{1,2}(?::?[0-9]{2})?)(?![0-9])"
)
_TIME = re.compile(
    r"t?(?:[01]?[0-9]|2[0-4]) ?[:.h] ?[0-5][0-9](?: ?: ?[0-5][0-9](?:[.,][0-9]+)?)?(?![0-9])"
    rf"(?: ?{_HALF})?(?:{_OFFSET})?"
    rf"|t[0-9]{{4}}(?:[0-9]{{2}}(?:[.,][0-9]+)?)?(?![0-9])(?:{_OFFSET})?"
    rf"|[0-9]{{1,2}} ?{_HALF}|(?:(?:علي|عند|في) )?الساعه [0-9]{{1,2}}(?! ?[0-9:.])(?: ?{_HALF})?"
    rf"|[+-][0-9]{{2}}:[0-9]{{2}}(?![0-9])|(?:utc|gmt) ?[+-][0-9]{{1,2}}(?::?[0-9]{{2}})?(?![0-9])"
    r"|(?:قبل|بعد) (?:الظهر|منتصف الليل)(?!\w)"
    r"|ب?(?:ال)?توقيت [^\W\d_]+(?: المكرمه| المحتله)?(?!\w)"
    r"|\((?:[a-z]+ ){1,4}time\)|\[[a-z_]+/[a-z_]+\]"  # (Arabian Standard Time), [Africa/Cairo]
    r"|[0-9]{1,2} ?(?:mins?|minutes?|دقيقه|دقايق)(?!\w)"  # the reading time
    r"|(?:علي|عند|في) الساعه(?!\w)|العدد(?: رقم)? ?:? ?[0-9]+(?![0-9])"  # an issue number
)
_WORD = re.compile(r"[^\W\d_]+(?:['’.][^\W\d_]+)*")
_NUMBER = re.compile("[0-9]+")

_WORDS = {
    "P": "published posted publication pubdate created نشر النشر نشرت نشره نشرها منشور أضيف أضيفت الإضافة",
    "U": "updated update modified edited revised تحديث التحديث محدث تعديل التعديل عدل",
    "a": "by بواسطة",
    "b": """
        كتب كتبت بقلم إعداد تحرير تقرير ترجمة مراسل مراسلنا مراسلة المحرر محرر الكاتب
        admin staff writer reporter correspondent editor editors""",
    "p": "on في",
    "n": """
        sunday monday tuesday wednesday thursday friday saturday
        sun mon tue tues wed weds thu thur thurs fri sat
        الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت أحد اثنين ثلاثاء أربعاء خميس جمعة سبت
        z utc gmt est edt et cst cdt ct mst mdt pst pdt pt bst cet cest eet eest ast ist gst msk
        am pm at the of date dated time local eastern central standard daylight hours hrs h
        this article story was last first originally read reading
        م ه ص صباح صباحا الصباح مساء المساء مساءا ظهرا عصرا فجرا ليلا الساعة غرينتش جرينتش جرينيتش
        تاريخ التاريخ بتاريخ يوم اليوم الموافق موافق تم آخر أول مرة هذا المقال الخبر
        وقت مدة زمن قراءة القراءة للقراءة""",
    "g": """
        reuters afp ap upi dpa xinhua wafa sana petra kuna
        رويترز وفا سانا واس وام بترا كونا قنا واع شينخوا سبوتنيك""",
    "w": "and al el bin ibn abu de la le da di du van von der",  # lower-case parts of names
    "x": """
        in for from to with after before since until during when as is are born died birth death
        من إلى عن مع منذ حتى قبل بعد خلال بين ضد عند أن إن أنه إنه قد لم لن كان كانت
        قال قالت أعلن أعلنت أكد أكدت قتل ولد توفي ميلاد الميلاد وفاة الوفاة
        photo image file picture صورة أرشيفية أرشيف""",
}
# «على» is missing: it is normalized to the same letters as the name «علي».
_CODE_OF = {word: code for code, words in _WORDS.items() for word in _normalize(words).split()}
_SIGNS = {**dict.fromkeys(",،", ","), **dict.fromkeys("/\\", "/"), **dict.fromkeys("|·•∙⋅*@'\"", "|")}
_ALIKE = {"Pd": "-", "Ps": "(", "Pe": ")", "Pi": "|", "Pf": "|", "So": "|"}


def _codes(items: Iterable[_Item]) -> str:
    return "".join(item.code for item in items)


def _items(text: str, day_first: bool) -> list[_Item]:
    """Return the items of a text from left to right, without white space."""
    cased = _normalize(text)
    lowered = _lower(cased)
    items: list[_Item] = []
    offset = 0
    while offset < len(cased):
        if cased[offset] != " ":
            items.append(_date_at(lowered, offset, day_first) or _other_at(cased, lowered, offset))
            offset = items[-1].end
        else:
            offset += 1
    return items


def _other_at(cased: str, lowered: str, offset: int) -> _Item:
    """Return the item at an offset where no date begins."""
    if match := _TIME.match(lowered, offset):
        return _Item("t", match.end())
    if match := _NUMBER.match(lowered, offset):
        return _Item("0", match.end())
    if match := _WORD.match(cased, offset):
        return _Item(_code_of_word(match[0]), match.end())
    return _Item(_code_of_sign(cased[offset]), offset + 1)


def _code_of_word(word: str) -> str:
    if code := _CODE_OF.get(word.lower()):
        return code
    # In scripts with capitals, a name begins with one; the name of a web site has a dot.
    return "o" if word[0].islower() and "." not in word else "w"


def _code_of_sign(sign: str) -> str:
    if sign in ":.":
        return sign
    return _SIGNS.get(sign) or _ALIKE.get(unicodedata.category(sign), "o")


_FIELD = re.compile(r"[DHtnpPU(),:/.|-]*")

# Separates the parts of a date line: punctuation, except after «كتب», and the place before P, U, a or b.
_SEPARATOR = re.compile(r"(?<![ab])[-(),:/|]+|(?=[PUab])")
_PART = re.compile(
    r"[DHtnpgPU.]*"  # when
    r"|[wgn.]*"  # who and where; a name next to a date, without punctuation, may be the name of an event
    r"|b[-(),:/|]*(?:[nx]*[wg][wgnx.tDH]*)?"  # «كتب أحمد سالم 12 مايو», but not «كتب ترامب في 12 مايو»
    r"|a[-(),:/|]*(?:[nx]*[wg][wgnxp.tDH]*)?"  # "by Jane Doe on 12 May", but not "by 12 May"
)
# A news agency's line: the city, then the day in both calendars, or the day and the agency.
_AGENCY_LINE = re.compile(r"[wn,]{1,6}(?:Hn*Dn*g?|[DH]n*g)[.:|/-]*")
_OTHER_DATE = re.compile(
    r"[wg][n.]*:[np]*[DH]"  # the date of an event: «الموعد: 12 مايو»
    r"|[DH][nt]*:n*w"  # an entry of a timeline: «12 مايو: الافتتاح»
    r"|[wg][n.]*\([np]*[DH]"  # the dates of a life: «نجيب محفوظ (11 ديسمبر 1911)»
    r"|^[^PUab]*pn*[DH]"  # part of a sentence: «في 12 مايو»
)

_PLACE = "[wgn.,/|-]"
_AT_PLACE = rf"{_PLACE}*(?:\({_PLACE}+\){_PLACE}*)?"
_DATES = r"(?:H[n/,|(-]*D\)?|D[n/,|(-]*H\)?|D|H)"
_AGENCY = r"(?:\([won.|/-]*[wog][wogn.|/-]*\)|/[wogn.|]*[wog][wogn.|]*/|g)"
_DATELINE = re.compile(
    rf"(?:{_AT_PLACE}(?<=[,/|)g-])[nt]*{_DATES}[nt]*{_AGENCY}?[nt]*"  # GENEVA, May 12, 2024 (Agency) —
    rf"|{_AT_PLACE}{_DATES}[nt]*{_AGENCY}[nt]*"  # «عمان 12 أيار 2024 (بترا) –»
    rf"|{_AT_PLACE}\({_PLACE}*{_DATES}[nt]*\)"  # CAIRO (May 12, 2024) —
    r")-(?![-nt]*[DH0])"  # not a range of days
    rf"|\({_PLACE}*{_DATES}[wgnt,/|]*\)(?![-nt]*[DH0])"  # «(بيروت، 12 أيار 2024) قالت»
)
