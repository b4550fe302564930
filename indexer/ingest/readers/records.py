"""Files of many articles: JSON, JSON Lines and CSV, read record by record in bounded memory."""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Self, TextIO

from ijson.backends import python as ijson

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import encoding_of
from indexer.ingest.encoding.repair import repair
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.fields import (
    ENTITY,
    ID,
    TEXT,
    FieldNames,
    delimiter_of,
    facts_of,
    known_names,
    one_line,
    plain_name,
    value_of,
)
from indexer.ingest.readers.base import Extract, RefusedRecord, with_title
from indexer.text.language import detect

RECORD_SIZE = 8 << 20  # bytes of a record; more is no article
_SAMPLED = 1 << 16  # bytes by which an encoding is told
_ID_LENGTH = 200  # code points; a longer id is a text
_MARKUP = re.compile(
    r"</?(?:p|br|div|h[1-6]|ul|ol|li|a|span|strong|em|b|i|table|blockquote|img)\b[^<>]*>", re.I
)
_BLOCK = re.compile(r"<(?:p|br|div|h[1-6]|ul|ol|li|table|blockquote)\b", re.I)
_NESTED = 100  # lists and objects in one another, and lists of paragraphs a tenth of it
_END = "\udfff"  # half a character, which no text that was decoded holds

ToText = Callable[[str], str]
"""Markup to the text that it shows; UnreadableFile where it cannot be parsed."""


def read_json_lines(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a file with a JSON object on each line that is not blank."""
    try:
        encoding = encoding_of(_sample(file))
    except UnreadableFile:
        encoding = "utf-8"  # then each line is judged by itself
    stream = _as_utf8(file.stream(), encoding)
    for number, line in enumerate(_bounded_lines(stream), 1):
        if line is None:
            yield RefusedRecord(number, f"it is longer than {RECORD_SIZE >> 20} MiB, which no article is")
            continue
        try:
            record = json.loads(line)
        except UnicodeDecodeError as error:
            yield RefusedRecord(number, f"it is not UTF-8 text (byte {error.start + 1:,} of its line)")
        except (ValueError, RecursionError) as error:
            yield RefusedRecord(number, f"it is not JSON: {error}")
        else:
            yield _extract(record, number, encoding, names, to_text)


def read_json(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a JSON file: an article, a list of articles, or an object that holds such a list.

    A file with an object on each line, which is JSON Lines under another name, is read as that.
    """
    if _is_json_lines(file):
        yield from read_json_lines(file, names, to_text)
        return
    encoding = _encoding(file)
    place = _articles_at(_Paced(_as_utf8(file.stream(counted=False), encoding)), names)
    stream = _Paced(_as_utf8(file.stream(), encoding))
    for number, record in enumerate(ijson.items(ijson.parse(_events(stream)), place), 1):
        stream.rest()
        extract = _extract(record, number, encoding, names, to_text)
        if place:
            yield extract
        elif isinstance(extract, RefusedRecord):
            raise UnreadableFile(extract.reason)
        else:
            yield replace(extract, number=None, id="")


def read_csv(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a table whose first row names the columns; the separator is the one that row uses."""
    csv.field_size_limit(RECORD_SIZE)  # the module's own; an unclosed quote would swallow the file
    encoding = _encoding(file)
    lines = _Lines(io.TextIOWrapper(_as_utf8(file.stream(), encoding), "utf-8", newline=""))
    try:
        header = next(filter(str.strip, lines))
        delimiter = delimiter_of(header)
        columns = next(csv.reader([header], delimiter=delimiter))
        if value_of(dict.fromkeys(columns, "text"), TEXT, names) is None:
            raise UnreadableFile(f"no column of it is an article's text; {_remedy('COLUMN')}")
        for number, row in enumerate(_rows(lines, delimiter), 1):
            if row == [_END]:
                return
            if row[-1].endswith(_END):
                yield RefusedRecord(number, "a quote in it is not closed, up to the end of the file")
            elif len(row) > len(columns):
                yield RefusedRecord(number, f"it has {len(row)} fields for {len(columns)} columns")
            else:
                record = dict(zip(columns, row, strict=False))
                yield _extract(record, number, encoding, names, to_text)
    except csv.Error as error:
        raise UnreadableFile(f"it is not CSV: {error}") from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"it is not {error.encoding} text; save it as UTF-8") from None


def _rows(lines: "_Lines", delimiter: str) -> Iterator[list[str]]:
    for row in csv.reader(lines, delimiter=delimiter):
        lines.rest()
        if any(row):
            yield row


def _extract(
    record: Any, number: int, encoding: str, names: FieldNames, to_text: ToText
) -> Extract | RefusedRecord:
    """Return the article that a record is, or the reason why it is none."""
    try:
        fields = _fields(record)
        text, notes = _article_text(fields, names, to_text)
    except UnreadableFile as error:
        return RefusedRecord(number, str(error))
    facts = facts_of(fields, names, detect(text))
    own_id = one_line(value_of(fields, ID, names))
    return Extract(
        with_title(facts.title, text),
        "extracted",
        encoding,
        facts,
        number,
        own_id if len(own_id) <= _ID_LENGTH else "",
        notes=notes,
    )


def _fields(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, Mapping):
        raise UnreadableFile("it is no JSON object")
    if isinstance(inner := record.get("_source"), Mapping):  # as search engines export
        return {**inner, "_id": record.get("_id", inner.get("_id"))}
    return record


def _article_text(
    record: Mapping[str, Any], names: FieldNames, to_text: ToText
) -> tuple[str, tuple[str, ...]]:
    """Return the text of a record, and notes of what was repaired in it or is odd."""
    text = _text(value_of(record, TEXT, names))
    if not text.strip():
        raise UnreadableFile(f"no field of it is an article's text; {_remedy('NAME')}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("its text is not valid Unicode: it holds half a character") from None
    if "\0" in text:
        raise UnreadableFile("it is not text: it holds NUL characters")
    text = _shown(text, to_text)
    if not text.strip():
        raise UnreadableFile("its markup shows no text")
    text, repairs, notes = repair(text)
    return text, repairs + notes


def _shown(text: str, to_text: ToText) -> str:
    """Return what a field shows: it may hold markup, or none but escaped characters."""
    if _MARKUP.search(text):
        # Where no block parts them, the lines of a field are its paragraphs.
        return to_text(text if _BLOCK.search(text) else text.replace("\n", "<br>"))
    return html.unescape(text) if ENTITY.search(text) else text


def _text(value: Any, depth: int = _NESTED // 10) -> str:
    """Return a field's text: a string, or a list of paragraphs."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("text", "rendered", "html", "value") if name in value), None)
    if isinstance(value, list):
        return "\n".join(filter(None, (_text(each, depth - 1) for each in value if depth)))
    return value if isinstance(value, str) else ""


def _remedy(what: str) -> str:
    return f"name it with --field text={what}"


def _articles_at(stream: "_Paced", names: FieldNames) -> str:
    """Return where in a JSON file its articles are, as ijson names places: "" is the whole file.

    An object with a text of its own is an article, whatever lists it holds; else the first list of
    objects with a text is the list of articles.
    """
    texts = {names[TEXT]} if TEXT in names else set(known_names(TEXT))
    inside: str | None = None
    lists = 0
    for prefix, event, value in ijson.parse(_events(stream)):
        stream.rest()
        lists += (event == "start_array") - (event == "end_array")
        if not prefix and event == "start_array":
            return "item"
        if event != "map_key":
            continue
        plain = str(value) if TEXT in names else plain_name(value)
        nested = TEXT in names and names[TEXT].startswith(f"{value}.")
        is_text = value == "_source" or plain in texts or nested
        if is_text and not prefix:
            return ""
        if is_text and inside is None and lists == 1 and prefix.endswith(".item"):
            inside = prefix
    if inside is None:
        raise UnreadableFile(f"no field of it is an article's text; {_remedy('NAME')}")
    return inside


def _events(stream: "_Paced") -> Iterator[tuple[str, Any]]:
    """Yield what stands in a JSON file, piece by piece, as ijson names pieces."""
    # The one in C is quicker, but a number of 5,000 digits ends the process there.
    depth = 0
    try:
        for event, value in ijson.basic_parse(stream, use_float=True):
            depth += event.startswith("start") - event.startswith("end")
            if depth > _NESTED:
                raise UnreadableFile("its lists and objects are nested too deeply")
            yield event, value
    except (ijson.common.JSONError, ValueError) as error:
        raise stream.failure or UnreadableFile(f"it is not JSON: {_first_line(error)}") from None
    if stream.failure:
        raise stream.failure


def _is_json_lines(file: OpenFile) -> bool:
    """Whether a file's first two lines that are not blank are JSON objects, each by itself."""
    encoding = _encoding(file)  # before the stream, which it would end
    stream = _as_utf8(file.stream(counted=False), encoding)
    lines = _bounded_lines(stream)
    return _is_object(next(lines, None)) and _is_object(next(lines, None))


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _encoding(file: OpenFile) -> str:
    sample = _sample(file)
    encoding = encoding_of(sample)
    if len(sample) < _SAMPLED and not sample.decode(encoding, "ignore").strip():
        raise UnreadableFile("it is empty")
    return encoding


def _sample(file: OpenFile) -> bytes:
    return file.stream(counted=False).read(_SAMPLED)


def _as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """Return a stream of the same text in UTF-8, without a byte order mark."""
    if encoding == "utf-8":
        return stream
    return io.BufferedReader(_Recoded(io.TextIOWrapper(stream, encoding, newline="")))


class _Recoded(io.RawIOBase):
    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._encoded = text, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._encoded:
            try:
                self._encoded = self._text.read(_SAMPLED).encode()
            except UnicodeError as error:
                raise UnreadableFile(f"it is not {self._text.encoding} text; save it as UTF-8") from error
        count = min(len(buffer), len(self._encoded))
        buffer[:count], self._encoded = self._encoded[:count], self._encoded[count:]
        return count


class _Paced:
    """A stream that is refused where more than a record's size is read of it without a rest.

    It ends where reading fails, and `failure` says why: an exception that passes through ijson leaves
    parts of it behind that complain.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._count = stream, 0
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read(size)
        except Exception as error:
            self.failure = error
            return b""
        self._count += len(data)
        if self._count > 2 * RECORD_SIZE:
            self.failure = UnreadableFile(_too_long())
            return b""
        return data

    def rest(self) -> None:
        self._count = 0


class _Lines:
    """The lines of a table and a last one, `_END`; refused where too many are read without a rest."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._count, self._ended = stream, 0, False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(RECORD_SIZE + 1)
        self._count += len(line)
        if self._count > RECORD_SIZE:
            raise UnreadableFile(_too_long())
        if line:
            return line
        if self._ended:
            raise StopIteration
        self._ended = True
        return _END

    def rest(self) -> None:
        self._count = 0


def _too_long() -> str:
    return f"a record of it is longer than {RECORD_SIZE >> 20} MiB, which no article is"


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield the lines that are not blank; None for one that is too long to be a record."""
    while line := stream.readline(RECORD_SIZE + 1):
        if len(line) <= RECORD_SIZE:
            if line.strip():
                yield line
            continue
        yield None
        while line and not line.endswith(b"\n"):
            line = stream.readline(RECORD_SIZE)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split("\n")[0].split())[:120]
