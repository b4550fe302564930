"""Read files of many articles (JSON, JSON Lines and tables), record by record in bounded memory.

Exports are seldom quite what their suffix says. A file of JSON Lines may hold one JSON value over many lines,
and JSON may have NaN, several values in a row, or a variable's name before it; such a file is read whole, and
may only be as long as one article.
"""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, Self, TextIO

from ijson.backends import python as ijson

from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import encoding_of
from indexer.ingest.encoding.likelihood import display_name
from indexer.ingest.encoding.repair import repair
from indexer.ingest.files import ARTICLE_SIZE, OpenFile
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

RECORD_SIZE = 8 << 20  # bytes; a longer record is refused
_FIRST_LINES = 20  # of a file, which show whether it has an object on each
_SEPARATOR_LINE = re.compile("sep=(.)", re.IGNORECASE)  # the first line of some spreadsheets' tables
_NO_TEXT_IN_ROW = re.compile("[\0\udc80-\udcff]")
_SAMPLED = 1 << 16  # bytes at the start of a file by which its encoding is detected
_ID_LENGTH = 200  # code points; a longer value is text, not an id
_MARKUP = re.compile(
    r"</?(?:p|br|div|h[1-6]|ul|ol|li|a|span|strong|em|b|i|table|blockquote|img)\b[^<>]*>", re.I
)
_BLOCK = re.compile(r"<(?:p|br|div|h[1-6]|ul|ol|li|table|blockquote)\b", re.I)
_NESTED = 100  # levels of lists and objects in a file; a list of paragraphs may have a tenth of them
# Before a value: white space, and what JavaScript writes around one («var news = », "callback(", ";").
_BEFORE_VALUE = re.compile(r"[\s;),]*(?:(?:(?:var|let|const)\s+)?[\w.$]+\s*=\s*|[\w.$]+\s*\(\s*)?(?=[\[{])")
_END = "\udfff"  # marks the end of a table; decoded text never has a lone surrogate

ToText = Callable[[str], str]
"""Return the visible text of markup; raises UnreadableFile if it cannot be parsed."""


def read_json_lines(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a file with a JSON object on each nonblank line; a file of one JSON value is read as JSON."""
    if _is_one_value(file, names):
        yield from _read_json_value(file, names, to_text)
    else:
        yield from _read_lines(file, names, to_text)


def _read_lines(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    try:
        encoding = encoding_of(_sample(file))
    except UnreadableFile:
        encoding = "utf-8"  # each line that does not fit is then refused by itself
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
    """Read a JSON file: one article, a list of articles, or an object that holds such a list.

    A file with one object on each line is read as JSON Lines.
    """
    if _is_json_lines(file):
        yield from _read_lines(file, names, to_text)
    else:
        yield from _read_json_value(file, names, to_text)


def _read_json_value(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    encoding, yielded = _encoding(file), 0
    try:
        place = _place_of_articles(_LimitedStream(_as_utf8(file.stream(counted=False), encoding)), names)
        stream = _LimitedStream(_as_utf8(file.stream(), encoding))
        records = ijson.items(ijson.parse(_events(stream)), place)
        if not place:
            # Only the end of the file shows whether another value follows.
            (article,) = (_extract(record, 1, encoding, names, to_text) for record in records)
            if isinstance(article, RefusedRecord):
                raise UnreadableFile(article.reason)
            yield replace(article, number=None, id="")
            return
        for number, record in enumerate(records, 1):
            stream.reset_limit()
            yield _extract(record, number, encoding, names, to_text)
            yielded = number
    except _NotJson:
        records = _loose_records(file, encoding, names)
        if records is None:
            raise
        for number, record in enumerate(records, 1):
            if number > yielded:
                yield _extract(record, number, encoding, names, to_text)


class _NotJson(UnreadableFile):
    """The file is not JSON in the strict sense."""


def _loose_records(file: OpenFile, encoding: str, names: FieldNames) -> list[Any] | None:
    """Return the records of a short file that is JSON in a wider sense; None for any other file.

    It may have NaN for a number, several values in a row, and the name of a variable or function before each.
    """
    data = _as_utf8(file.stream(counted=False), encoding).read(ARTICLE_SIZE + 1)
    if len(data) > ARTICLE_SIZE:
        return None
    text, decoder, values, end = data.decode("utf-8-sig", "replace"), json.JSONDecoder(), [], 0
    try:
        while start := _BEFORE_VALUE.match(text, end):
            value, end = decoder.raw_decode(text, start.end())
            values.append(value)
    except (ValueError, RecursionError):
        return None
    if not values or text[end:].strip(" \t\r\n;),"):
        return None
    return [record for value in values for record in _records_in(value, names)]


def _records_in(value: Any, names: FieldNames, depth: int = 4) -> list[Any]:
    """Return the articles in a JSON value: itself, or the first list in it whose objects have a text."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Mapping) or value_of(value, TEXT, names) is not None or depth == 0:
        return [value]
    for inner in value.values():
        if isinstance(inner, list | Mapping):
            records = _records_in(inner, names, depth - 1)
            if any(isinstance(each, Mapping) and value_of(each, TEXT, names) is not None for each in records):
                return records
    return [value]


def read_csv(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a table whose first row names the columns; that row decides which separator the table uses."""
    # A setting of the whole csv module: without it, an unclosed quote could take in the rest of the file.
    csv.field_size_limit(RECORD_SIZE)
    sample = _sample(file)
    encoding = _encoding_of_table(sample)
    # A byte that does not fit becomes a lone surrogate, so that only its row is refused.
    stream = io.TextIOWrapper(_as_utf8(file.stream(), encoding), "utf-8-sig", "surrogateescape", newline="")
    lines = _LimitedLines(stream)
    try:
        header = next(filter(str.strip, lines))
        if stated := _SEPARATOR_LINE.fullmatch(header.strip()):
            header = next(filter(str.strip, lines))
        delimiter, escape = stated[1] if stated else delimiter_of(header), _escape_of(sample)
        columns = _without_empty_end(next(csv.reader([header], delimiter=delimiter, escapechar=escape)))
        if value_of(dict.fromkeys(columns, "text"), TEXT, names) is None:
            raise UnreadableFile(f"no column of it is an article's text; {_remedy('COLUMN')}")
        for number, row in enumerate(_rows(lines, delimiter, escape), 1):
            if row == [_END]:
                return
            if row[-1].endswith(_END):
                yield RefusedRecord(number, "a quote in it is not closed, up to the end of the file")
            elif any(_NO_TEXT_IN_ROW.search(cell) for cell in row):
                yield RefusedRecord(number, f"it has a byte that is no text in {display_name('utf-8')}")
            elif len(row := _without_empty_end(row, len(columns))) > len(columns):
                yield RefusedRecord(number, f"it has {len(row)} fields for {len(columns)} columns")
            else:
                record = dict(zip(columns, row, strict=False))
                yield _extract(record, number, encoding, names, to_text)
    except csv.Error as error:
        raise UnreadableFile(f"it is not CSV: {error}") from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"it is not {error.encoding} text; save it as UTF-8") from None


def _rows(lines: "_LimitedLines", delimiter: str, escape: str | None) -> Iterator[list[str]]:
    in_field = rf"[^{re.escape(delimiter)}\r\n]"
    null = re.compile(rf"(?<!{in_field})\\N(?!{in_field})")  # as databases write it
    without_nulls = (null.sub("", line) for line in lines)
    for row in csv.reader(without_nulls, delimiter=delimiter, escapechar=escape):
        lines.reset_limit()
        if any(row):
            yield row


def _escape_of(sample: bytes) -> str | None:
    """Return the backslash that databases put before a quote; None for a table that doubles its quotes."""
    return "\\" if re.search(rb'[^\\,;\t|\r\n]\\"(?![,;\t|\r\n]|$)', sample) else None


def _without_empty_end(row: list[str], least: int = 0) -> list[str]:
    """Return a row without the empty fields at its end, as spreadsheets add them, down to `least` fields."""
    end = len(row)
    while end > least and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _encoding_of_table(sample: bytes) -> str:
    """Return the encoding of a table; a NUL in a row does not make the table binary."""
    try:
        encoding = encoding_of(sample)
    except UnreadableFile:
        encoding = encoding_of(sample.replace(b"\0", b""))
    return _unless_blank(sample, encoding)


def _extract(
    record: Any, number: int, encoding: str, names: FieldNames, to_text: ToText
) -> Extract | RefusedRecord:
    """Return the article of a record, or the record as refused, with the reason."""
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
    """Return the fields of a record; raises UnreadableFile unless it is a JSON object."""
    if not isinstance(record, Mapping):
        raise UnreadableFile("it is no JSON object")
    inner = record.get("_source")
    if isinstance(inner, Mapping):  # the form in which search engines export documents
        return {**inner, "_id": record.get("_id", inner.get("_id"))}
    embedded = record.get("_embedded")
    if isinstance(embedded, Mapping) and embedded.get("author"):  # WordPress, with the author's name there
        return {**record, "author": embedded["author"]}
    return record


def _article_text(
    record: Mapping[str, Any], names: FieldNames, to_text: ToText
) -> tuple[str, tuple[str, ...]]:
    """Return the text of a record, and notes on its repairs and oddities.

    Raises UnreadableFile if the record has no valid text.
    """
    text = _text(value_of(record, TEXT, names))
    if not text.strip():
        raise UnreadableFile(f"no field of it is an article's text; {_remedy('NAME')}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("its text is not valid Unicode: it holds half a character") from None
    if "\0" in text:
        raise UnreadableFile("it is not text: it holds NUL characters")
    text = _visible_text(text, to_text)
    if not text.strip():
        raise UnreadableFile("its markup shows no text")
    text, repairs, notes = repair(text)
    return text, repairs + notes


def _visible_text(text: str, to_text: ToText) -> str:
    """Return the visible text of a field, whether it has markup or only references such as &amp;."""
    if _MARKUP.search(text):
        # In markup without block elements, the lines of the field are its paragraphs.
        return to_text(text if _BLOCK.search(text) else text.replace("\n", "<br>"))
    return html.unescape(text) if ENTITY.search(text) else text


def _text(value: Any, depth: int = _NESTED // 10) -> str:
    """Return the text of a field: a string, a list of paragraphs, or an object with either; else ""."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("text", "rendered", "html", "value") if name in value), None)
    if isinstance(value, list):
        texts = filter(None, (_text(item, depth - 1) for item in value if depth))
        return ("" if _is_formatted_text(value) else "\n").join(texts)
    return value if isinstance(value, str) else ""


def _is_formatted_text(items: list[Any]) -> bool:
    """Return whether a list is one text in pieces, plain or with their formatting, as Telegram exports it."""
    entities = [item for item in items if isinstance(item, Mapping)]
    return bool(entities) and all("type" in item and "text" in item for item in entities)


def _remedy(placeholder: str) -> str:
    return f"name it with --field text={placeholder}"


def _place_of_articles(stream: "_LimitedStream", names: FieldNames) -> str:
    """Return the place of the articles in a JSON file, in ijson's notation; "" is the whole file.

    An object with a text is an article itself, whatever lists it holds; otherwise the outermost list of
    objects with a text is the list of articles, which may lie in others (chats and their messages). Raises
    UnreadableFile if there is no text.
    """
    is_text_key = _text_key_test(names)
    article_lists: dict[int, str] = {}  # by the number of lists that are open there
    open_lists = 0
    for prefix, event, value in ijson.parse(_events(stream)):
        stream.reset_limit()
        open_lists += (event == "start_array") - (event == "end_array")
        if not prefix and event == "start_array":
            return "item"
        if event != "map_key" or not is_text_key(value):
            continue
        if not prefix:
            return ""
        if prefix.endswith(".item"):
            article_lists.setdefault(open_lists, prefix)
    if not article_lists:
        raise UnreadableFile(f"no field of it is an article's text; {_remedy('NAME')}")
    return article_lists[min(article_lists)]


def _text_key_test(names: FieldNames) -> Callable[[str], bool]:
    """Return a test for keys of a JSON object: whether the key holds an article's text or leads to it."""
    if TEXT in names:
        path = names[TEXT]
        return lambda key: key in ("_source", path) or path.startswith(f"{key}.")
    usual_names = frozenset(known_names(TEXT))
    return lambda key: key == "_source" or plain_name(key) in usual_names


def _events(stream: "_LimitedStream") -> Iterator[tuple[str, Any]]:
    """Yield ijson's events of a JSON file; raises UnreadableFile if it is invalid or nested too deeply."""
    # Use the Python backend: in the faster C backend a number of 5,000 digits crashes the process.
    depth = 0
    try:
        for event, value in ijson.basic_parse(stream, use_float=True):
            depth += event.startswith("start") - event.startswith("end")
            if depth > _NESTED:
                raise UnreadableFile("its lists and objects are nested too deeply")
            yield event, value
    except (ijson.common.JSONError, ValueError) as error:
        raise stream.failure or _NotJson(f"it is not JSON: {_first_line(error)}") from None
    if stream.failure:
        raise stream.failure


def _is_json_lines(file: OpenFile) -> bool:
    """Return whether each of a file's first two nonblank lines is a JSON object."""
    encoding = _encoding(file)  # must come first: it opens a stream of its own
    stream = _as_utf8(file.stream(counted=False), encoding)
    lines = _bounded_lines(stream)
    return _is_object(next(lines, None)) and _is_object(next(lines, None))


def _is_one_value(file: OpenFile, names: FieldNames) -> bool:
    """Return whether a file is JSON, not JSON Lines: none of its first lines is an article's object."""
    try:
        encoding = _encoding(file)
    except UnreadableFile:
        return False
    lines = list(islice(_bounded_lines(_as_utf8(file.stream(counted=False), encoding)), _FIRST_LINES))
    first = (lines[0] or b"") if lines else b""
    if len(lines) == 1 and _is_object(first):
        return value_of(_fields(json.loads(first)), TEXT, names) is None
    is_value = _BEFORE_VALUE.match(first.decode("utf-8-sig", "replace"))
    return bool(is_value) and not any(map(_is_object, lines))


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _encoding(file: OpenFile) -> str:
    """Return the encoding of a file; raises UnreadableFile if it is blank or the encoding is not detected."""
    sample = _sample(file)
    return _unless_blank(sample, encoding_of(sample))


def _unless_blank(sample: bytes, encoding: str) -> str:
    if len(sample) < _SAMPLED and not sample.decode(encoding, "ignore").strip():
        raise UnreadableFile("it is empty")
    return encoding


def _sample(file: OpenFile) -> bytes:
    return file.stream(counted=False).read(_SAMPLED)


def _as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """Return a stream of the same text in UTF-8, without a byte order mark."""
    if encoding == "utf-8":
        return stream
    return io.BufferedReader(_Utf8Stream(io.TextIOWrapper(stream, encoding, newline="")))


class _Utf8Stream(io.RawIOBase):
    """The bytes of a text stream, encoded in UTF-8."""

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


class _LimitedStream:
    """A stream that limits how much may be read between two calls of `reset_limit`.

    Readers call it after each record or event, so that no record can fill the memory. If reading fails, the
    stream ends, and `failure` holds the reason: an exception raised through ijson's generators would leave
    some of them unfinished, and Python would complain about those.
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

    def reset_limit(self) -> None:
        self._count = 0


class _LimitedLines:
    """The lines of a table, then the line `_END`; with the limit of _LimitedStream."""

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

    def reset_limit(self) -> None:
        self._count = 0


def _too_long() -> str:
    return f"a record of it is longer than {RECORD_SIZE >> 20} MiB, which no article is"


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield the nonblank lines of a stream, and None for each line that is longer than RECORD_SIZE."""
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
