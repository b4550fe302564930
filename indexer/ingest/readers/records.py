"""Read files of many articles (JSON, JSON Lines and CSV), record by record in bounded memory."""

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

RECORD_SIZE = 8 << 20  # bytes; a longer record is refused
_SAMPLED = 1 << 16  # bytes at the start of a file by which its encoding is detected
_ID_LENGTH = 200  # code points; a longer value is text, not an id
_MARKUP = re.compile(
    r"</?(?:p|br|div|h[1-6]|ul|ol|li|a|span|strong|em|b|i|table|blockquote|img)\b[^<>]*>", re.I
)
_BLOCK = re.compile(r"<(?:p|br|div|h[1-6]|ul|ol|li|table|blockquote)\b", re.I)
_NESTED = 100  # levels of lists and objects in a file; a list of paragraphs may have a tenth of them
_END = "\udfff"  # marks the end of a table; decoded text never has a lone surrogate

ToText = Callable[[str], str]
"""Return the visible text of markup; raises UnreadableFile if it cannot be parsed."""


def read_json_lines(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a file that has a JSON object on each nonblank line."""
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
        yield from read_json_lines(file, names, to_text)
        return
    encoding = _encoding(file)
    place = _place_of_articles(_LimitedStream(_as_utf8(file.stream(counted=False), encoding)), names)
    stream = _LimitedStream(_as_utf8(file.stream(), encoding))
    for number, record in enumerate(ijson.items(ijson.parse(_events(stream)), place), 1):
        stream.reset_limit()
        extract = _extract(record, number, encoding, names, to_text)
        if place:
            yield extract
        elif isinstance(extract, RefusedRecord):
            raise UnreadableFile(extract.reason)
        else:
            yield replace(extract, number=None, id="")


def read_csv(file: OpenFile, names: FieldNames, to_text: ToText) -> Iterator[Extract | RefusedRecord]:
    """Read a table whose first row names the columns; that row decides which separator the table uses."""
    # A setting of the whole csv module: without it, an unclosed quote could take in the rest of the file.
    csv.field_size_limit(RECORD_SIZE)
    encoding = _encoding(file)
    lines = _LimitedLines(io.TextIOWrapper(_as_utf8(file.stream(), encoding), "utf-8", newline=""))
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


def _rows(lines: "_LimitedLines", delimiter: str) -> Iterator[list[str]]:
    for row in csv.reader(lines, delimiter=delimiter):
        lines.reset_limit()
        if any(row):
            yield row


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
    if isinstance(
        inner := record.get("_source"), Mapping
    ):  # the form in which search engines export documents
        return {**inner, "_id": record.get("_id", inner.get("_id"))}
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
        return "\n".join(filter(None, (_text(item, depth - 1) for item in value if depth)))
    return value if isinstance(value, str) else ""


def _remedy(placeholder: str) -> str:
    return f"name it with --field text={placeholder}"


def _place_of_articles(stream: "_LimitedStream", names: FieldNames) -> str:
    """Return the place of the articles in a JSON file, in ijson's notation; "" is the whole file.

    An object with a text is an article itself, whatever lists it holds; otherwise the first list of objects
    with a text is the list of articles. Raises UnreadableFile if there is no text.
    """
    is_text_key = _text_key_test(names)
    article_list: str | None = None
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
        if article_list is None and open_lists == 1 and prefix.endswith(".item"):
            article_list = prefix
    if article_list is None:
        raise UnreadableFile(f"no field of it is an article's text; {_remedy('NAME')}")
    return article_list


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
        raise stream.failure or UnreadableFile(f"it is not JSON: {_first_line(error)}") from None
    if stream.failure:
        raise stream.failure


def _is_json_lines(file: OpenFile) -> bool:
    """Return whether each of a file's first two nonblank lines is a JSON object."""
    encoding = _encoding(file)  # must come first: it opens a stream of its own
    stream = _as_utf8(file.stream(counted=False), encoding)
    lines = _bounded_lines(stream)
    return _is_object(next(lines, None)) and _is_object(next(lines, None))


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _encoding(file: OpenFile) -> str:
    """Return the encoding of a file; raises UnreadableFile if it is blank or the encoding is not detected."""
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
