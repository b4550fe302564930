"""What is known of an article beside its text, under the names that exports use. Pure functions."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from indexer.errors import RequestError
from indexer.ingest.metadata.dates import parse_date

TEXT, ID = "text", "id"
# The names a field goes by, the likeliest first; compared without case, spaces, "_", "-" and "@".
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
        "pub_date", "published_time", "published_on", "date", "datetime", "created_at", "date_created",
        "timestamp", "time", "تاريخ النشر", "التاريخ", "تاريخ",
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
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")  # controls, halves of characters
_HOST = re.compile(r"[^\s<>\"']+")
_SPACING = re.compile(r"[\s_@-]+")
_INNER = ("name", "title", "rendered", "$date", "$oid", "#text")  # where exports put a value inside another
_LENGTH = 500  # code points of a title, a name or an address; a longer one is something else

FieldNames = Mapping[str, str]
"""Names that the user gave for this archive: our field's name to the export's."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an article says of itself; "" and None are unknown. `published` is YYYY-MM-DD."""

    title: str = ""
    source: str = ""
    author: str = ""
    url: str = ""
    published: str | None = None

    def or_else(self, others: "Facts") -> "Facts":
        """Return these facts, and from `others` what is unknown here."""
        return replace(others, **dict(self.known()))

    def known(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the value of each fact that is known."""
        for field in fields(self):
            if value := getattr(self, field.name):
                yield field.name, value


def check_names(names: FieldNames) -> None:
    """Raise RequestError where a name is none of the fields that are read."""
    for name in names:
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise RequestError("bad_field", f"There is no field {name[:40]!r}; there are {known}.")


def value_of(record: Mapping[str, Any], field: str, names: FieldNames) -> Any:
    """Return the value of a field in a record; None where it has none that says something.

    A name that the user gave is taken as it stands, dots leading into nested records, and no
    other is tried for that field.
    """
    if field in names:
        return _inside(record, names[field])
    plain = {plain_name(key): value for key, value in reversed(list(record.items()))}
    for name in NAMES[field]:
        value = plain.get(plain_name(name))
        if value not in (None, "", [], {}):
            return value
    return None


def facts_of(record: Mapping[str, Any], names: FieldNames, lang: str) -> Facts:
    """Return what a record or a sidecar says of its article, which is in this language."""
    url = one_line(value_of(record, "url", names))
    published = one_line(value_of(record, "published", names))
    source = one_line(value_of(record, "source", names))
    return Facts(
        title=one_line(value_of(record, "title", names)),
        source=domain_of(source) or source or domain_of(url),
        author=one_line(value_of(record, "author", names)),
        url=url if _address(url) else "",
        published=parse_date(published, day_first=lang == "ar") if published else None,
    )


def one_line(value: Any, depth: int = 2) -> str:
    """Return a value as one line of text; "" for what is none, such as a list of lists of lists."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in _INNER if name in value), None)
    if isinstance(value, list):
        value = ", ".join(filter(None, (one_line(each, depth - 1) for each in value[:20] if depth)))
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
    parts = _address(url)
    return (parts.hostname or "").removeprefix("www.") if parts else ""


def _address(url: str) -> Any:
    """Return the parts of a web address, None for what is none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts if parts.scheme in ("http", "https") and _HOST.fullmatch(host) else None
    except ValueError:  # such as an unclosed bracket
        return None


def _inside(record: Any, path: str) -> Any:
    if isinstance(record, Mapping) and path in record:
        return record[path]
    for name in path.split("."):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def plain_name(name: str) -> str:
    return _SPACING.sub("", name).casefold()


def delimiter_of(header: str) -> str:
    """Return what parts the columns of a table, by its header: the likeliest sign that it uses most."""
    return max(",;\t|", key=header.count)


def known_names(field: str) -> Iterable[str]:
    """Return the names a field goes by, as they are compared."""
    return map(plain_name, NAMES[field])
