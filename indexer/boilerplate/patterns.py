"""What furniture looks like, one line at a time. Pure functions over the patterns of rules.toml.

Furniture is what a page puts around an article and a scraper takes along. A pattern speaks of the line
alone; what position and repetition say stands in cleaning.py. Losing a sentence of an article is worse
than keeping a line of furniture, so patterns want whole lines, or openings that no sentence has.
"""

import base64
import binascii
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from indexer.text.normalize import bare_letters, drop_invisible

LONG = 320  # code points; a longer line is text, whatever it says
MADE_OF = 10  # words; a line that is made of a rule's words alone is no longer

_PATTERNS = Path(__file__).with_name("rules.toml")
_BEGINNINGS, _ENDS = frozenset('_#@©<[(«"“'), frozenset('_)]»"”%؟?!.…*')
_MACRO = re.compile("<(network|share|channel)>")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BARS = re.compile(r"\s*[|›»•·]\s*|\s{2,}|\s+[/>]\s+")
_ITEMS = re.compile(r"\s*[|›»•·]\s*|\s+[-–—/]\s+")
_RULED = re.compile(r"[-–—_=•·|.<>«»›‹/\\\s]+")
_COMMAS = re.compile(r"\s*[,،|;؛]\s*")
_NO_KEYWORD = re.compile(r"[:<>{}=()\"“”«»]")
_SENTENCE_END = re.compile(r"[.!?؟…:][\"'”’»)\]]*$")
_NETWORK = "network"
_HOME = frozenset({"الرييسيه", "الرئيسيه", "home"})
_PREFIXES = ("وال", "بال", "لل", "ال", "و", "ب", "ل")

_BASE64 = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{14,}={0,2}(?![\w+/=])")
_IDENTIFIER = re.compile(
    r"(?:[?&]|\b)(?:utm_\w+|fbclid|gclid|msclkid|sid|sessionid|session_id|session|phpsessid|_ga|clickid|click_id"
    r"|tracking_?id|visitor_?id|uid|cid|ref_src)=[\w%.:-]+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{6,12}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{20,}\b",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_PLAYER = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[/|]\s*-?\d{1,2}:\d{2}(?::\d{2})?)+|0?0:00")
_HASHTAGS = re.compile(r"(?:#[\w_]+[\s,،|]*){1,}")
# Who took a picture stands at the end of its caption, in brackets, after a dash or a label.
_AGENCIES = r"رويترز|الفرنسيه|ا ?ف ?ب|اسوشيتد برس|الاناضول|غيتي|جيتي|الاوروبيه|شينخوا|سبوتنيك|مواقع التواصل"
_TAKEN = r"تصوير|عدسه|صوره|الصوره"
_CREDIT = re.compile(
    rf"(?:[\[(][^()\[\]]{{0,25}}(?:{_TAKEN}|{_AGENCIES}|ارشيف\w*|photo|image|pic|getty|reuters|afp|ap|epa|file"
    r"|courtesy|supplied|handout|archive|credit)[^()\[\]]{0,40}[\])]"
    rf"|(?:^|[.!?»\")\]]|\w) ?[-–—/|]? ?(?:photo(?:graph|graphy)?|pic|image|picture|credit|{_TAKEN})s?"
    r"(?: by| courtesy| credit| من)? ?[:：] ?.{2,60}"
    r"|[.»\")\w] (?:photo(?:graph)?|image|picture)s? (?:courtesy(?: of)?|by|via) .{2,60}"
    r"|\s[-–—|/] ?(?:عدسه|تصوير) .{2,40}|\((?!source|المصدر|المصادر|via)[^():]{2,30}: [^():\d]{2,40}\)"
    r"|^photo (?:by )?\w+(?: \w+){0,3}"
    r"|\s[-–—|/] ?(?:ارشيف(?:يه)?|صوره ارشيفيه|رويترز|ا ?ف ?ب|الاناضول|الفرنسيه|file photo|file|archive"
    r"|reuters|afp|getty images))$"
)
_AGENCY_END = re.compile(r"\((?:reporting|editing|additional reporting|writing|تحرير|اعداد|كتابه|تغطيه)\b")


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    reason: str
    whole: re.Pattern[str] | None
    opening: re.Pattern[str] | None
    words: frozenset[str]


def normalize_line(line: str) -> str:
    """Return a line as patterns see it: no marks or hamza seats, one case, single spaces, bare edges."""
    return _normalize(line) if len(line) > LONG else _normalize_short(line)


def _normalize(line: str) -> str:
    folded = " ".join(bare_letters(drop_invisible(line)).casefold().split())
    start, end = 0, len(folded)
    while start < end and not (folded[start].isalnum() or folded[start] in _BEGINNINGS):
        start += 1
    while end > start and not (folded[end - 1].isalnum() or folded[end - 1] in _ENDS):
        end -= 1
    return folded[start:end]


_normalize_short = lru_cache(maxsize=65_536)(_normalize)


@dataclass(frozen=True, slots=True)
class _RuleBook:
    """The patterns and words of rules.toml, compiled."""

    rules: tuple[_Rule, ...]
    joining: frozenset[str]
    sections: frozenset[str]
    network: re.Pattern[str]


@lru_cache(maxsize=1)
def _rule_book() -> _RuleBook:
    stored = tomllib.loads(_PATTERNS.read_text("utf-8"))
    macros = {name: "(?:" + "|".join(patterns) + ")" for name, patterns in stored["macros"].items()}

    def compiled(patterns: list[str], tail: str = "") -> re.Pattern[str] | None:
        if not patterns:
            return None
        filled = (_MACRO.sub(lambda macro: macros[macro.group(1)], pattern) for pattern in patterns)
        return re.compile("(?:" + "|".join(map(bare_letters, filled)) + ")" + tail, re.IGNORECASE)

    rules = (
        _Rule(
            name,
            rule["reason"],
            compiled(rule.get("whole", []), r"[\s:.…!*]*"),
            compiled(rule.get("opening", [])),
            _words(rule.get("words", "")),
        )
        for name, rule in stored["rules"].items()
    )
    words = stored["words"]
    network = re.compile(bare_letters(macros["network"]), re.IGNORECASE)
    return _RuleBook(tuple(rules), _words(words["joining"]), _words(words["sections"]), network)


def _words(listed: str) -> frozenset[str]:
    return frozenset(map(normalize_line, listed.split()))


@lru_cache(maxsize=1)
def rule_reasons() -> Mapping[str, str]:
    """Return why each rule cuts a line, by its id."""
    return MappingProxyType({rule.name: rule.reason for rule in _rule_book().rules})


def matching_rule(line: str) -> str | None:
    """Return the rule by which a line is furniture on its own account, None where it is not."""
    line = drop_invisible(line)
    if len(line) > LONG:
        return None
    if _is_tracking(line):
        return "tracking"
    folded = normalize_line(line)
    if not any(char.isalnum() or char == "©" for char in folded):
        return "navigation" if _RULED.fullmatch(line.strip()) else None
    return _by_pattern(folded) or _by_form(line, folded)


def _by_pattern(folded: str) -> str | None:
    rules = _rule_book().rules
    whole = (rule.name for rule in rules if rule.whole and rule.whole.fullmatch(folded))
    opening = (rule.name for rule in rules if rule.opening and rule.opening.match(folded))
    return next(whole, None) or next(opening, None)


def _by_form(line: str, folded: str) -> str | None:
    """Return the rule of a line that is told by what it is made of."""
    if _HASHTAGS.fullmatch(line.strip()):
        return "tags"
    if _PLAYER.fullmatch(folded):
        return "controls"
    if len(line) <= 220 and _CREDIT.search(folded) and not _AGENCY_END.search(folded):
        return "caption"
    return "navigation" if _is_menu(line) else _made_of_words(line) or _mostly_boilerplate(line)


def is_keyword_list(line: str, *, least: int = 5) -> bool:
    """Whether a line is a list of keywords: short items between commas or bars, and no sentence."""
    items = [item for item in _COMMAS.split(line.strip(" .،,|")) if item]
    if len(items) < least or _NO_KEYWORD.search(line) or _SENTENCE_END.search(line.strip()):
        return False  # behind a colon stands what the label says, such as a team's players
    lengths = [len(_WORD.findall(item)) for item in items]
    # A sentence that lists names ends its list with «and».
    last = items[-1].split()
    ends_list = len(last) > 1 and last[0] in ("and", "or", "و")
    # Of the items after the first: a label or the words before a list may be longer.
    return max(lengths[1:]) <= 4 and sum(lengths) <= 2.6 * len(items) and not ends_list


def _is_menu(line: str) -> bool:
    """Whether a line is made of the names of sections, or of short items between bars."""
    words = _normalized_words(line)
    sections = sum(map(_names_section, words))
    least = 0.6 if words and words[0] in _HOME else 0.75
    if len(words) >= 3 and sections >= least * len(words) and not _SENTENCE_END.search(line.strip()):
        return True
    items = [item for item in _BARS.split(line.strip()) if item]
    if len(items) < 3 or any(len(item.split()) > 4 for item in items):
        return False
    known = sections + sum(_rule_for_word(word) is not None for word in words)
    return known >= max(2, len(words) // 3)


def _made_of_words(line: str) -> str | None:
    """Return the rule of whose words a short line is made, beside words that join, networks and numbers."""
    content = line.strip()
    words = _normalized_words(content)
    if not 1 <= len(words) <= MADE_OF or (content.endswith((".", "؟", "?")) and "..." not in content):
        return None
    found: Counter[str] = Counter()
    for word in words:
        rule = _rule_for_word(word)
        if rule == _NETWORK:
            found["share"] += 0  # a network's name alone may be what a sentence is about
        elif rule:
            found[rule] += 1
        elif not (word in _rule_book().joining or word.isdigit()):
            return None
    numbers = sum(word.isdigit() for word in words)
    known = sum(found.values())
    return max(found, key=lambda rule: found[rule]) if known and known >= numbers else None


def _mostly_boilerplate(line: str) -> str | None:
    """Return the rule of a short line half of whose items, between bars or dashes, are furniture."""
    items = [item for item in _ITEMS.split(line.strip()) if item]
    if (
        not 2 <= len(items) <= 8
        or len(_WORD.findall(line)) > 2 * MADE_OF
        or _SENTENCE_END.search(line.strip())
    ):
        return None
    found = [rule for item in items if len(item) < len(line) and (rule := matching_rule(item))]
    return found[-1] if 2 * len(found) >= len(items) else None


def _normalized_words(line: str) -> list[str]:
    return [normalize_line(word) for word in _WORD.findall(line)]


@lru_cache(maxsize=65_536)
def _rule_for_word(word: str) -> str | None:
    """Return the rule that a folded word is a word of, _NETWORK for the name of a network."""
    rule = next((rule.name for rule in _rule_book().rules if _among(word, rule.words)), None)
    return rule or (_NETWORK if _rule_book().network.fullmatch(word) else None)


@lru_cache(maxsize=65_536)
def _names_section(word: str) -> bool:
    return _among(word, _rule_book().sections)


def _among(word: str, words: frozenset[str]) -> bool:
    """Whether a folded word is one of `words`, alone or behind the article and a particle."""
    if word in words:
        return True
    return any(word.startswith(prefix) and word[len(prefix) :] in words for prefix in _PREFIXES)


def names_a_section(line: str) -> bool:
    """Whether a line is the name of a section of a site, such as «اقتصاد وبورصة»."""
    words = _normalized_words(line)
    joining = _rule_book().joining
    known = sum(map(_names_section, words))
    named = known and all(_names_section(word) or word in joining for word in words)
    return bool(named) and len(words) <= 4 and not _SENTENCE_END.search(line.strip())


def is_network(line: str) -> bool:
    """Whether a line is the name of a social network and nothing else."""
    return bool(_rule_book().network.fullmatch(normalize_line(line)))


def _is_tracking(line: str) -> bool:
    content = line.strip()
    if any(_is_base64_text(match.group()) for match in _BASE64.finditer(content)) and len(content) <= 160:
        return True
    without = _IDENTIFIER.sub("", content)
    if without != content and len(_WORD.findall(_URL.sub("", without))) <= 4:
        return True
    # An address of the reader's, not one that a sentence speaks of.
    without = " ".join(token for token in content.split() if not _is_address(token.strip("()[]،,;.")))
    return without != " ".join(content.split()) and len(content) <= 60 and len(_WORD.findall(without)) <= 4


def _is_address(token: str) -> bool:
    """Whether a token is an IP address, of either version."""
    if token.count(":") < 2 and token.count(".") != 3:
        return False
    try:
        ip_address(token)
        return True
    except ValueError:
        return False


def _is_base64_text(token: str) -> bool:
    """Whether a token is base64 of plain ASCII, which a word or a name never is."""
    body = token.rstrip("=")
    if len(body) % 4 == 1:
        return False
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(decoded) >= 9 and all(32 <= byte < 127 for byte in decoded)
