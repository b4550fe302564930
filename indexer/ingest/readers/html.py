"""Read HTML: extract the article of a page in a separate process with limits on time and memory.

This module owns that process and chooses title, lead, author and date; `html_worker` parses the markup.
"""

import json
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from indexer.boilerplate.patterns import matching_rule
from indexer.errors import UnreadableFile
from indexer.ingest.encoding.detect import decode
from indexer.ingest.files import OpenFile
from indexer.ingest.metadata.dates import find_published
from indexer.ingest.metadata.fields import Facts, domain_of, one_line
from indexer.ingest.readers.base import Extract, RefusedRecord, with_title
from indexer.text.language import detect
from indexer.text.normalize import drop_invisible

SECONDS = 20.0  # limit for one page; most take a few hundredths, the largest that was tried took four
# In a meta element or an XML declaration; a script may declare an encoding of its own.
_CHARSET = re.compile(
    rb"""<(?:meta\b[^<>]{0,300}?\bcharset|\?xml\b[^<>]{0,100}?\bencoding)\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_DECLARED_IN = 1 << 16  # bytes in which an encoding is looked for; archived pages begin with scripts
_UTC_STAMP = re.compile(
    r"\b([12][0-9]{3}-[01][0-9]-[0-3][0-9])T([0-2][0-9]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|\+00:?00)"
)
_NEXT_DAY_AT = 10  # o'clock in UTC, from which it is the next day in the easternmost time zone
_LEAD = 80  # code points; a shorter line above the text is not its lead
_ARTICLE = 80  # code points; a page with less text has no article
BETWEEN = " · "  # the worker's separator between spans or links that only styles separate
_PARAGRAPH = 40  # code points; a shorter line may also occur in a menu
_ABOVE = 6  # lines above the text that are searched for a date if the title is not found
_SEARCHED = 1 << 30  # code points to search for the lines of one page, which takes a second or less
# Looser than `author_of`, since these lines stand directly under the title of a page.
_BYLINE = re.compile(
    r"(?:by|written by|بقلم|كتبت?|كتبه|كتبته|كتابة|إعداد|تحرير)\s*[:：]?\s+([^\d|:؟?.@]{3,40}?)(?:\s+@\w+)?",
    re.IGNORECASE,
)
_WORKER = Path(__file__).with_name("html_worker.py")


class PageWorker:
    """The process that parses HTML; it starts at the first request, and again after it has ended."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def page(self, page: str) -> dict[str, Any]:
        """Return a page's `text`, `title`, `author`, `url`, `published` and visible `lines`.

        Raises UnreadableFile with the reason if the page takes too much time or memory, or breaks the parser.
        """
        return self._ask({"page": page})

    def fragment(self, markup: str) -> str:
        """Return the visible text of a piece of markup, one line for each block; raises like `page`."""
        return str(self._ask({"fragment": markup})["text"])

    def close(self) -> None:
        """End the process if it is running."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process:
            _end(self._process)
            self._process = None

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        with self._lock:
            answer, timed_out = self._answer(json.dumps(request).encode())
            if timed_out or answer is None or "error" in answer:
                self._end()  # it may have little memory left
        if answer is None:
            raise UnreadableFile(
                f"its markup takes more than {self.seconds:g} seconds to parse"
                if timed_out
                else "its markup ends the parser"
            )
        if "error" in answer:
            raise UnreadableFile(str(answer["error"]))
        return answer

    def _answer(self, request: bytes) -> tuple[dict[str, Any] | None, bool]:
        """Return the worker's answer, or None if it ended without one, and whether the time was up."""
        if self._process and self._process.poll() is not None:
            self._end()  # it ended before this request, so this page is not the reason
        if self._process is None:
            self._process = _start()
            weakref.finalize(self, _end, self._process)  # in case the owner never calls close()
        process, timed_out = self._process, threading.Event()

        def kill() -> None:
            timed_out.set()
            process.kill()

        timer = threading.Timer(self.seconds, kill)
        timer.start()
        try:
            return _exchange(process, request), timed_out.is_set()
        except OSError:  # the process ended during the exchange
            return None, timed_out.is_set()
        finally:
            timer.cancel()
            timer.join()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", str(_WORKER)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):  # closing flushes, and the reader of the pipe has ended
                pipe.close()


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> dict[str, Any] | None:
    assert process.stdin and process.stdout
    process.stdin.write(len(request).to_bytes(4, "big") + request)
    process.stdin.flush()
    size = int.from_bytes(process.stdout.read(4), "big")
    answer = process.stdout.read(size)
    return json.loads(answer) if answer and len(answer) == size else None


def read_page(file: OpenFile, worker: PageWorker) -> Iterator[Extract | RefusedRecord]:
    """Read the article of a web page; its text begins with its title.

    Raises UnreadableFile if the page is empty, shows no article, or breaks a limit of the worker.
    """
    data = file.read()
    declared = _CHARSET.search(data[:_DECLARED_IN])
    decoded = decode(data, declared.group(1).decode("ascii") if declared else None)
    if not decoded.text.strip():
        raise UnreadableFile("it is empty")
    page = worker.page(decoded.text)
    url = one_line(page["url"])
    title, lines = _title(page), page["lines"]
    # If the extraction finds no article, take all visible lines; the cleaner then has more to cut.
    body = _with_lead(page["text"], title, lines) if page.get("text") else "\n".join(lines)
    if len(body) < _ARTICLE:
        raise UnreadableFile("no article was found in the page")
    text = body if title in lines and "text" not in page else with_title(title, body)
    byline = _lines_under_title(text, title, lines)
    facts = Facts(
        title=title,
        source=domain_of(url),
        author=_author(one_line(page["author"]), byline),
        url=url if domain_of(url) else "",
        published=_published(page["published"] or None, byline, detect(text), decoded.text),
    )
    yield Extract(
        text,
        "extracted",
        decoded.encoding,
        facts,
        left_out=tuple(_outside(page["lines"], text)),
        notes=decoded.repairs + decoded.notes,
    )


def _title(page: dict[str, Any]) -> str:
    """Return a page's title as the page shows it.

    That is the longest visible line that is part of the title element, which often has the site's name too.
    The title in the metadata is often shorter, or belongs to another part of the page, so it is only the
    fallback.
    """
    heading, stated = page["heading"], one_line(page["title"])
    shown = [line for line in page["lines"] if line == stated or (line in heading and len(line.split()) >= 3)]
    return max(shown, key=len, default=stated)


def _with_lead(text: str, title: str, lines: list[str]) -> str:
    """Return an extracted text with its lead: the paragraphs that the page shows between title and text."""
    first = _first_line_of_text(text, title, lines)
    titles = [place for place, line in enumerate(lines[:first]) if line == title]
    between = lines[titles[-1] + 1 : first] if titles and first is not None else []
    letters = _letters(text)
    lead = [
        line
        for line in between
        if len(line) >= _LEAD
        and line[-1] in ".؟!…"
        and _letters(line) not in letters
        and not matching_rule(line)
    ]
    return "\n".join([*lead, text])


def _first_line_of_text(text: str, title: str, lines: list[str]) -> int | None:
    """Return the place among a page's lines where its text begins; None if it is not found there.

    The extraction may have changed spaces, format characters and the signs between links, so only letters and
    punctuation are compared.
    """
    paragraph = next((line for line in text.split("\n") if len(line) >= _PARAGRAPH and line != title), "")
    if not (letters := _letters(paragraph)):
        return None
    return next((place for place, line in enumerate(lines) if letters in _letters(line)), None)


def _letters(text: str) -> str:
    """Return a text without spaces, format characters and the worker's separator."""
    return "".join(drop_invisible(text).replace(BETWEEN.strip(), "").split())


def _lines_under_title(text: str, title: str, lines: list[str]) -> list[str]:
    """Return the parts of the lines from the title to the text, where pages show author and date."""
    first = _first_line_of_text(text, title, lines)
    titles = [place for place, line in enumerate(lines[:first]) if line == title]
    if first is None:
        if not titles:
            return []
        first = titles[0] + _ABOVE
        titles = titles[:1]
    window = lines[titles[-1] if titles else max(0, first - _ABOVE) : first + 1]
    return [part.strip() for line in window for part in line.split(BETWEEN)]


def _published(stated: str | None, byline: list[str], lang: str, markup: str) -> str | None:
    """Return the earlier of two days, YYYY-MM-DD: the one in the metadata and the one under the title.

    A page whose metadata states a single day often states the day of its last change. Where the metadata has
    the hour in UTC, the day under the title is the local one, which may be the next.
    """
    shown = find_published(["", *byline], day_first=lang == "ar")
    if stated and shown and shown == _next_day(stated) and _is_utc_evening(stated, markup):
        return shown
    return min(filter(None, (stated, shown)), default=None)


def _next_day(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _is_utc_evening(day: str, markup: str) -> bool:
    """Return whether a page states a time in UTC on this day that is the next day somewhere to the east."""
    return any(int(hour) >= _NEXT_DAY_AT for stamp, hour in _UTC_STAMP.findall(markup) if stamp == day)


def _author(stated: str, byline: list[str]) -> str:
    """Return the author in a page's metadata, else the name in a line that begins with «By» or «كتب»."""
    shown = (match.group(1) for part in byline if (match := _BYLINE.fullmatch(part)))
    stated_byline = _BYLINE.fullmatch(stated)
    return (stated_byline.group(1) if stated_byline else stated) or next(shown, "")


def _outside(lines: list[str], text: str) -> Iterator[str]:
    """Yield the visible parts of a page's lines that its text does not contain."""
    joined_text, whole_lines = " ".join(text.split()), {" ".join(line.split()) for line in text.split("\n")}
    searched = 0
    for line in lines:
        for part in line.split(BETWEEN.strip()):
            if (shown := part.strip()) and shown not in whole_lines:
                searched += len(joined_text)
                if searched > _SEARCHED or shown not in joined_text:
                    yield shown
