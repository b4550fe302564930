"""Lines that many articles of one source share: how they are counted, and when they are boilerplate."""

import hashlib

from indexer.boilerplate.document_lines import DocumentLines
from indexer.text.lines import nonblank_lines


def line_key(line: str, secret: bytes = b"") -> int:
    """Return what a line is counted by: equal for lines that differ in white space alone.

    64 bits as a signed integer, as SQLite keeps them. With a secret, of at most 64 bytes, the key tells
    nothing of the line to whoever does not have it.
    """
    digest = hashlib.blake2b(" ".join(line.split()).encode(), digest_size=8, key=secret).digest()
    return int.from_bytes(digest, "big", signed=True)


def line_keys(text: str, secret: bytes = b"") -> tuple[int, frozenset[int]]:
    """Return a key of a text's longest lines, and the keys of all its lines that are not blank.

    Copies of one article share their three longest lines, so that they can be counted as one.
    """
    lines = [text[line.start : line.end] for line in nonblank_lines(text)]
    longest = sorted(set(lines), key=lambda line: (-len(line), line))[:3]
    return line_key(" ".join(longest), secret), frozenset(line_key(line, secret) for line in lines)


def least_articles(articles: int) -> int:
    """Return in how many articles of a source a line must stand to be boilerplate there.

    A tenth of them, but never fewer than 5, which chance alone does not make, nor more than 20.
    """
    return min(max(5, -(-articles // 10)), 20)


def cut_repeated_lines(lines: DocumentLines) -> None:
    """Cut the lines that many articles share, unless they are most of the text, as in near copies."""
    if not lines.repeated:
        return
    keys = {place: line_key(lines.contents[place], lines.secret) for place in lines.kept()}
    found = {place: lines.repeated[key] for place, key in keys.items() if key in lines.repeated}
    prose = [place for place in keys if lines.is_prose(place)]
    shared = [place for place in prose if place in found]
    if len(shared) >= 3 and 2 * _length(lines, shared) > _length(lines, prose):
        return
    for place, articles in found.items():
        lines.rules[place], lines.articles[place] = "repeated", articles


def _length(lines: DocumentLines, places: list[int]) -> int:
    return sum(len(lines.contents[place]) for place in places)
