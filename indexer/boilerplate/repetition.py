"""Repeated lines: count the articles of one source that share a line, and cut lines that many share."""

import hashlib

from indexer.boilerplate.document_lines import DocumentLines
from indexer.text.lines import nonblank_lines


def line_key(line: str, secret: bytes = b"") -> int:
    """Return the key by which a line is counted; lines that differ only in white space have the same key.

    The key has 64 bits, as a signed integer, which is what SQLite stores. With a secret (of at most 64 bytes)
    the key reveals nothing about the line to anyone who does not have the secret.
    """
    digest = hashlib.blake2b(" ".join(line.split()).encode(), digest_size=8, key=secret).digest()
    return int.from_bytes(digest, "big", signed=True)


def line_keys(text: str, secret: bytes = b"") -> tuple[int, frozenset[int]]:
    """Return one key for a text's three longest lines, and the keys of all its nonblank lines.

    Copies of one article share their longest lines, so the first key lets a caller count them as one article.
    """
    lines = [text[line.start : line.end] for line in nonblank_lines(text)]
    longest = sorted(set(lines), key=lambda line: (-len(line), line))[:3]
    return line_key(" ".join(longest), secret), frozenset(line_key(line, secret) for line in lines)


def least_articles(articles: int) -> int:
    """Return how many articles of a source must share a line before the line is boilerplate.

    That is a tenth of the source's articles, but at least 5, so that chance does not suffice, and at most 20.
    """
    return min(max(5, -(-articles // 10)), 20)


def cut_repeated_lines(lines: DocumentLines) -> None:
    """Cut the lines that many articles share, unless they make up most of the text, as in near copies."""
    if not lines.repeated:
        return
    keys = {place: line_key(lines.contents[place], lines.secret) for place in lines.kept()}
    repeated = {place: lines.repeated[key] for place, key in keys.items() if key in lines.repeated}
    prose = [place for place in keys if lines.is_prose(place)]
    shared = [place for place in prose if place in repeated]
    if len(shared) >= 3 and 2 * _length(lines, shared) > _length(lines, prose):
        return
    for place, articles in repeated.items():
        lines.rules[place], lines.articles[place] = "repeated", articles


def _length(lines: DocumentLines, places: list[int]) -> int:
    return sum(len(lines.contents[place]) for place in places)
