"""Read the author's name from a byline, such as «بقلم: سلمى حداد» or "By Jane Doe". Pure functions."""

import re

from indexer.text.normalize import drop_invisible

LONGEST = 80  # code points of a byline
NAME_WORDS = range(2, 6)

_NAME = r"(?P<name>[^\d|:؟?.@،,()«»\"“”]{5,50})"
_STATED_NAME = _NAME.replace("name", "stated")
_BYLINE = re.compile(
    rf"(?:by|written by|بقلم|كتبت|كتبه|كتبتها?|كتابة)\s*[:：/]?\s+{_NAME}"
    rf"|(?:كتب|إعداد|اعداد|تحرير|حوار|حاوره|حاورته|حاورها|تقرير|تحقيق)\s*[:：/–-]\s*{_STATED_NAME}",
    re.IGNORECASE,
)
_NOT_IN_NAMES = re.compile(
    r"\b(?:في|من|على|إلى|عن|أن|إن|التي|الذي|هذا|هذه|كان|قال|the|of|in|on|to|and|from|with|staff)\b",
    re.IGNORECASE,
)


def author_of(line: str) -> str:
    """Return the name in a byline; "" for any other line."""
    line = " ".join(drop_invisible(line).split())
    match = _BYLINE.fullmatch(line) if len(line) <= LONGEST else None
    if match is None:
        return ""
    name = (match["name"] or match["stated"]).strip(" -–/")
    in_range = len(name.split()) in NAME_WORDS and not _NOT_IN_NAMES.search(name)
    return name if in_range and not name[0].islower() else ""
