"""Parse HTML in a process of its own, which its parent can kill at any time without losing anything.

This is a separate program that imports nothing of Warraq. Until stdin ends, it reads requests from stdin and
writes answers to stdout; each is a length of four bytes (big-endian) and that many bytes of JSON. Markup may
be hostile, so a crash or a loop of the parser must stay inside this process; html.py has the time limit.
"""

import html
import json
import os
import re
import sys
from typing import Any, BinaryIO

import lxml.etree
import lxml.html
from trafilatura import bare_extraction

MEMORY = 2 << 30  # bytes of address space; the largest page that was tried needs a quarter of it
_UNSEEN = ("script", "style", "noscript", "template", "title", "svg", "math", "iframe", "object", "select")
_CELL = 130  # code points; a longer cell of a table is a paragraph
_LISTS = ("ul", "ol", "dl", "table")
_HEADING = 1_000  # code points of a title element that are used
_END = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)
# The extraction drops format characters, but these belong to the spelling of Persian and Kurdish words. Each
# is written as a printable sign while the article is extracted.
_JOINERS = {"\u200c": "\u2e31", "\u200d": "\u2e33"}
_JOINER_REFERENCE = re.compile("&(?:zwnj|zwj|#8204|#8205|#x200[cd]);", re.IGNORECASE)
_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp small
span strike strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_INLINE_NAMES.split())  # inline elements; every other element begins and ends a line


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # a library that prints must not garble an answer
    _limit_memory()
    while request := _receive(sys.stdin.buffer):
        answer = json.dumps(_answer(request)).encode()
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 - Windows has no such module

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):  # a system without such limits
        return


def _receive(requests: BinaryIO) -> dict[str, str] | None:
    size = int.from_bytes(requests.read(4), "big")
    return json.loads(requests.read(size)) if size else None


def _answer(request: dict[str, str]) -> dict[str, Any]:
    try:
        if "fragment" in request:
            return {"text": "\n".join(_lines(_parsed(f"<div>{_END.sub('', request['fragment'])}</div>")))}
        return read_page(request["page"])
    except MemoryError:
        return {"error": "it needs more memory than a page may"}
    except RecursionError:
        return {"error": "its markup is nested too deeply"}
    except Exception as error:  # markup can cause any error in a parser
        return {"error": f"it cannot be parsed ({type(error).__name__})"}


def read_page(page: str) -> dict[str, Any]:
    """Return a page's article and facts, and all its visible lines, as `PageWorker.page` describes."""
    page = _END.sub("", page)  # the parser would stop there, but some pages contain whole pages
    root = _parsed(page)
    article = _with_article(page, root)
    document = _extracted(article, tables=True)
    if document is not None and _is_layout_table(document.text or ""):
        document = _extracted(article, tables=False)
    lines = _lines(root, " · ")
    heading = " ".join((root.findtext(".//head/title") or "").split())[:_HEADING]
    if document is None or not document.text:
        return {
            "lines": lines,
            "heading": heading,
            **dict.fromkeys(("title", "author", "url", "published"), ""),
        }
    return {
        "lines": lines,
        "heading": heading,
        "text": _without_bars(_with_joiners(document.text)),
        "title": _with_joiners(document.title or ""),
        "author": _with_joiners(document.author or ""),
        "url": document.url or "",
        "published": document.date or "",
    }


def _with_article(page: str, root: Any) -> str:
    """Return a page whose article is its body itself with that part in an article element.

    The extraction would drop lists and tables between paragraphs that stand in the body directly.
    """
    body = root.find("body")
    children = [] if body is None else list(body)
    paragraphs = [place for place, child in enumerate(children) if child.tag == "p"]
    part = children[paragraphs[0] : paragraphs[-1] + 1] if paragraphs else []
    if not any(child.tag in _LISTS for child in part):
        return page
    copy = _parsed(page)
    body = copy.find("body")
    article = lxml.html.Element("article")
    body.insert(paragraphs[0], article)
    article.extend(list(body)[paragraphs[0] + 1 : paragraphs[-1] + 2])
    return str(lxml.html.tostring(copy, encoding="unicode"))


def _extracted(page: str, *, tables: bool) -> Any:
    return bare_extraction(
        _with_signs(page),
        with_metadata=True,
        include_comments=False,
        include_tables=tables,
        # Use dates in the metadata only: a date in the text may belong to something else.
        date_extraction_params={"extensive_search": False, "original_date": True, "min_date": "1800-01-01"},
    )


def _with_signs(markup: str) -> str:
    """Return markup with a printable sign for each joiner inside it."""
    markup = _JOINER_REFERENCE.sub(lambda reference: html.unescape(reference.group()), markup)
    for joiner, sign in _JOINERS.items():
        markup = markup.replace(sign, "").replace(joiner, sign)
    return markup


def _with_joiners(text: str) -> str:
    """Return a text with the joiners for which signs stand."""
    for joiner, sign in _JOINERS.items():
        text = text.replace(sign, joiner)
    return text


def _is_layout_table(text: str) -> bool:
    """Return whether a text is mostly a table of paragraphs: the page's layout, no table of the article."""
    lines = [line for line in text.split("\n") if line.strip()]
    rows = [line for line in lines if line.startswith("|")]
    paragraphs = sum(len(cell) for row in rows for cell in row.split("|") if len(cell) > _CELL)
    return len(rows) > len(lines) / 2 and paragraphs > sum(map(len, rows)) / 2


def _without_bars(text: str) -> str:
    """Return a text without the bars at the ends of the rows of tables, and without rows of dashes."""
    lines = (
        line.strip("| ").replace("|", " | ") if line.startswith("|") else line for line in text.split("\n")
    )
    return "\n".join(" ".join(line.split()) if " | " in line else line for line in lines if line.strip("-| "))


def _parsed(markup: str) -> Any:
    parser = lxml.html.HTMLParser(encoding="utf-8")
    # Pass bytes: lxml refuses a string that declares an encoding.
    root = lxml.html.document_fromstring(markup.encode(), parser=parser)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise RecursionError  # the parser has dropped elements that are nested too deeply
    return root


def _lines(root: Any, between: str = "") -> list[str]:
    """Return the visible lines of a tree, separated at blocks and line breaks.

    `between` is inserted where one span or link follows another without a space: styles separate those.
    """
    parts, hidden = list[str](), 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tail = (element.tail or "") if event != "start" else ""
        if event in ("start", "end"):
            if element.tag not in _INLINE:
                parts.append("\n")
            hidden += (element.tag in _UNSEEN) * (1 if event == "start" else -1)
        if not hidden:
            visible = (element.text or "") if event == "start" else tail
            parts.append(" ".join(visible.split("\n")))
            if event == "end" and not tail and element.tag in ("span", "a") and element.getnext() is not None:
                parts.append(between)
    return [line for raw_line in "".join(parts).split("\n") if (line := " ".join(raw_line.split()))]


if __name__ == "__main__":
    main()
