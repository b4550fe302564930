"""HTML: the article that a page holds, extracted in a process with limits on time and memory."""

import json
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
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

SECONDS = 20.0  # a page takes a few hundredths; the largest that was tried took four
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARED_IN = 2_048  # bytes; HTML wants it in the first 1,024
_LEAD = 80  # code points of a paragraph above the text
_ARTICLE = 80  # code points; a page that shows less has no article
BETWEEN = " · "  # what the worker puts between the spans of a line that styles part
_PARAGRAPH = 40  # code points; a shorter line may stand in a menu too
_ABOVE = 6  # lines above the text in which a date may stand, where the title is not found
_SEARCHED = 1 << 30  # code points of a text that are searched for lines: a second or less
_BYLINE = re.compile(
    r"(?:by|written by|بقلم|كتبت?|كتبه|كتبته|كتابة|إعداد|تحرير)\s*[:：]?\s+([^\d|:؟?.@]{3,40}?)(?:\s+@\w+)?",
    re.IGNORECASE,
)
_WORKER = Path(__file__).with_name("html_worker.py")


class PageWorker:
    """The process that parses HTML: started when first asked, and anew after it was ended."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def page(self, page: str) -> dict[str, Any]:
        """Return a page's `text`, `title`, `author`, `url`, `published` and visible `lines`.

        Raises UnreadableFile with the reason where it takes too long or too much, or breaks the parser.
        """
        return self._ask({"page": page})

    def fragment(self, markup: str) -> str:
        """Return the text that a piece of markup shows, a line a block; raises as `page` does."""
        return str(self._ask({"fragment": markup})["text"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._asking:
            self._end()

    def _end(self) -> None:
        if self._process:
            _end(self._process)
            self._process = None

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        with self._asking:
            answer, late = self._answer(json.dumps(request).encode())
            if late or answer is None or "error" in answer:
                self._end()  # what is left of its memory may be little
        if answer is None:
            raise UnreadableFile(
                f"its markup takes more than {self.seconds:g} seconds to parse"
                if late
                else "its markup ends the parser"
            )
        if "error" in answer:
            raise UnreadableFile(str(answer["error"]))
        return answer

    def _answer(self, request: bytes) -> tuple[dict[str, Any] | None, bool]:
        """Return the answer to a request, None where there is none, and whether time was up."""
        if self._process and self._process.poll() is not None:
            self._end()  # it ended on its own; this page is not the reason
        if self._process is None:
            self._process = _start()
            weakref.finalize(self, _end, self._process)  # where nobody closes it
        process, late = self._process, threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.seconds, end)
        timer.start()
        try:
            return _exchange(process, request), late.is_set()
        except OSError:  # it ended while it was spoken to
            return None, late.is_set()
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
            with suppress(OSError):  # what was still to be written to it
                pipe.close()


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> dict[str, Any] | None:
    assert process.stdin and process.stdout
    process.stdin.write(len(request).to_bytes(4, "big") + request)
    process.stdin.flush()
    size = int.from_bytes(process.stdout.read(4), "big")
    answer = process.stdout.read(size)
    return json.loads(answer) if answer and len(answer) == size else None


def read_page(file: OpenFile, worker: PageWorker) -> Iterator[Extract | RefusedRecord]:
    """Read the article of a web page; its text begins with its title."""
    data = file.read()
    declared = _CHARSET.search(data[:_DECLARED_IN])
    decoded = decode(data, declared.group(1).decode("ascii") if declared else None)
    if not decoded.text.strip():
        raise UnreadableFile("it is empty")
    page = worker.page(decoded.text)
    url = one_line(page["url"])
    title, lines = _title(page), page["lines"]
    # Where no article stands out, all that the page shows is the text, and cleaning has more to do.
    body = _with_lead(page["text"], title, lines) if page.get("text") else "\n".join(lines)
    if len(body) < _ARTICLE:
        raise UnreadableFile("no article was found in the page")
    text = body if title in lines and "text" not in page else with_title(title, body)
    beside = _beside_title(text, title, lines)
    facts = Facts(
        title=title,
        source=domain_of(url),
        author=_author(one_line(page["author"]), beside),
        url=url if domain_of(url) else "",
        published=_published(page["published"] or None, beside, detect(text)),
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

    That is the longest of its lines which stands in its title element, beside the site's name; what
    the page tells networks and search engines is often shorter, or of another part of it.
    """
    heading, told = page["heading"], one_line(page["title"])
    shown = [line for line in page["lines"] if line == told or (line in heading and len(line.split()) >= 3)]
    return max(shown, key=len, default=told)


def _with_lead(text: str, title: str, lines: list[str]) -> str:
    """Return an extracted text with the paragraphs that the page shows between its title and it."""
    begins = _begin(text, title, lines)
    above = [at for at, line in enumerate(lines[:begins]) if line == title]
    between = lines[above[-1] + 1 : begins] if above else []
    lead = [line for line in between if len(line) >= _LEAD and line[-1] in ".؟!…" and not matching_rule(line)]
    return "\n".join([*lead, text])


def _begin(text: str, title: str, lines: list[str]) -> int:
    """Return which of a page's lines its text begins with."""
    first = next((line for line in text.split("\n") if len(line) >= _PARAGRAPH and line != title), "")
    return next((at for at, line in enumerate(lines) if first and first in line), len(lines))


def _beside_title(text: str, title: str, lines: list[str]) -> list[str]:
    """Return what a page shows between its title and its text, where it names its author and its date."""
    begins = _begin(text, title, lines)
    above = [at for at, line in enumerate(lines[:begins]) if line == title]
    window = lines[above[-1] if above else max(0, begins - _ABOVE) : begins + 1]
    return [part.strip() for line in window for part in line.split(BETWEEN)]


def _published(stated: str | None, beside: list[str], lang: str) -> str | None:
    """Return the earlier of the day that a page states and of the one it shows beside its title.

    Where a page states one day only, that is often of its last change.
    """
    shown = find_published(["", *beside], day_first=lang == "ar")
    return min(filter(None, (stated, shown)), default=None)


def _author(stated: str, beside: list[str]) -> str:
    """Return the author that a page states, else the one of a line that begins with «By» or «كتب»."""
    shown = (name.group(1) for part in beside if (name := _BYLINE.fullmatch(part)))
    named = _BYLINE.fullmatch(stated)
    return (named.group(1) if named else stated) or next(shown, "")


def _outside(lines: list[str], text: str) -> Iterator[str]:
    inside, whole = " ".join(text.split()), {" ".join(line.split()) for line in text.split("\n")}
    searched = 0
    for line in lines:
        for part in line.split(BETWEEN.strip()):
            if (shown := part.strip()) and shown not in whole:
                searched += len(inside)
                if searched > _SEARCHED or shown not in inside:
                    yield shown
