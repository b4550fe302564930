"""Read an article's facts from a record or a sidecar, under the names that exports use. Pure functions."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from indexer.errors import RequestError
from indexer.ingest.metadata.dates import parse_date

TEXT, ID = "text", "id"
# The names that exports use for each field, likeliest first; compared without case, spaces, "_", "-" and "@".
NAMES: dict[str, tuple[str, ...]] = {
    TEXT: (
        "text", "body", "article_body", "content", "full_text", "fulltext", "body_text", "article_text",
        "maintext", "main_text", "content_text", "content_html", "body_html", "article", "story",
        "paragraphs", "نص", "النص", "نص المقال", "المحتوى", "محتوى", "المقال", "متن",
    ),
    ID: ("id", "_id", "article_id", "doc_id", "document_id", "uuid", "guid", "identifier", "المعرف", "الرقم"),
    "title": ("title", "headline", "heading", "article_title", "name", "subject", "العنوان", "عنوان"),
    "published": (
        "published", "date_published", "published_at", "published_date", "publication_date", "publish_date",
        "date_publish", "pub_date", "published_time", "published_on", "date", "datetime", "created_at",
        "date_created", "timestamp", "time", "تاريخ النشر", "التاريخ", "تاريخ",
    ),
    "author": (
        "author", "authors", "byline", "creator", "writer", "reporter", "الكاتب", "كاتب", "المؤلف", "بقلم",
    ),
    "url": (
        "url", "link", "canonical_url", "article_url", "source_url", "href", "uri", "permalink",
        "الرابط", "رابط",
    ),
    "source": (
        "source", "publisher", "source_name", "site_name", "site", "outlet", "newspaper", "publication",
        "domain", "source_domain", "المصدر", "مصدر", "الموقع", "الصحيفة",
    ),
}  # fmt: skip
ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|nbsp|amp|quot|lt|gt|[lr][ds]quo|hellip|[mn]dash);", re.I)
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")  # controls and surrogates
_HOST = re.compile(r"[^\s<>\"']+")
_SPACING = re.compile(r"[\s_@-]+")
# Keys under which exports nest a value.
_INNER = (
    "name", "display_name", "full_name", "title", "rendered", "$date", "$numberLong", "$numberInt", "$oid",
    "#text",
)  # fmt: skip
_LENGTH = 500  # code points; a longer value is no title, name or address

FieldNames = Mapping[str, str]
"""The user's names for this archive: from the name of our field to the name of the export's field."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that are stated about an article; "" and None are unknown. `published` is YYYY-MM-DD."""

    title: str = ""
    source: str = ""
    author: str = ""
    url: str = ""
    published: str | None = None

    def or_else(self, others: "Facts") -> "Facts":
        """Return these facts, with the unknown ones filled in from `others`."""
        return replace(others, **dict(self.known()))

    def known(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the value of each known fact."""
        for field in fields(self):
            if value := getattr(self, field.name):
                yield field.name, value


def check_names(names: FieldNames) -> None:
    """Raise RequestError if a name is not that of a field."""
    for name in names:
        if name not in NAMES:
            field_names = ", ".join(NAMES)
            raise RequestError("bad_field", f"There is no field {name[:40]!r}; there are {field_names}.")


def value_of(record: Mapping[str, Any], field: str, names: FieldNames) -> Any:
    """Return the value of a field in a record; None if the record has no value or an empty one.

    If the user has named the field, only that name is used, exactly as given; dots in it lead into nested
    records.
    """
    if field in names:
        return _value_at(record, names[field])
    values_by_name = {plain_name(key): value for key, value in reversed(list(record.items()))}
    for name in NAMES[field]:
        value = values_by_name.get(plain_name(name))
        if value not in (None, "", [], {}):
            return value
    return None


def facts_of(record: Mapping[str, Any], names: FieldNames, lang: str) -> Facts:
    """Return the facts that a record or a sidecar states about an article in this language."""
    url = one_line(value_of(record, "url", names))
    published = one_line(value_of(record, "published", names))
    source = one_line(value_of(record, "source", names))
    return Facts(
        title=one_line(value_of(record, "title", names)),
        source=domain_of(source) or source or domain_of(url),
        author=_name(one_line(value_of(record, "author", names))),
        url=url if _web_address(url) else "",
        published=parse_date(published, day_first=lang == "ar") if published else None,
    )


def _name(author: str) -> str:
    """Return the name of an author; "" for a number, under which exports list authors elsewhere."""
    return "" if author.replace(",", "").replace(" ", "").isdecimal() else author


def one_line(value: Any, depth: int = 2) -> str:
    """Return a value as one line of text; "" for a value that is not text, such as deeply nested lists."""
    for _ in range(3):  # such as {"$date": {"$numberLong": "1766102400000"}}
        if isinstance(value, Mapping):
            value = next((value[name] for name in _INNER if name in value), None)
    if isinstance(value, list):
        value = ", ".join(filter(None, (one_line(item, depth - 1) for item in value[:20] if depth)))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    line = str(value)
    if ENTITY.search(line):
        line = html.unescape(line)
    line = " ".join(_NO_TEXT.sub(" ", line).split())
    return line if len(line) <= _LENGTH else ""


def domain_of(url: str) -> str:
    """Return the domain of a web address, without "www."; "" for anything else."""
    parts = _web_address(url)
    return (parts.hostname or "").removeprefix("www.") if parts else ""


def _web_address(url: str) -> Any:
    """Return the parts of a web address (http or https); None if the text is something else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts if parts.scheme in ("http", "https") and _HOST.fullmatch(host) else None
    except ValueError:  # such as an unclosed bracket
        return None


def _value_at(record: Any, path: str) -> Any:
    """Return the value under a name, else the one that a path with dots leads to; None if there is none."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    for name in path.split("."):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def plain_name(name: str) -> str:
    """Return the name of a field as names are compared: without case, spaces, "_", "-" and "@"."""
    return _SPACING.sub("", name).casefold()


def delimiter_of(header: str) -> str:
    """Return the separator of a table's columns: the one of , ; tab | that its header has most often."""
    return max(",;\t|", key=header.count)


def known_names(field: str) -> Iterable[str]:
    """Return the names that exports use for a field, in the form in which they are compared."""
    return map(plain_name, NAMES[field])
