"""Recognize boilerplate by the text of a single line. Pure functions over the patterns of rules.toml.

This module looks at one line at a time; layout.py uses the position of lines, repetition.py their repetition.
Losing a sentence of an article is worse than keeping a line of boilerplate, so a pattern must match a whole
line, or an opening with which no sentence begins.
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

LONG = 320  # code points; a longer line is text of the article, whatever its words
SPOKEN = 90  # code points; a longer line with a quotation may speak of a notice instead of being one
MADE_OF = 10  # words; only a line of at most this length is cut for consisting of a rule's words

_PATTERNS = Path(__file__).with_name("rules.toml")
_SPOKEN_OF = frozenset({"copyright", "subscribe", "cookies", "comments", "share"})
_QUOTATION = re.compile(r"«[^»]+»|[\"“][^\"”]+[\"”]")
_EDGE_AT_START, _EDGE_AT_END = frozenset('_#@©<[(«"“'), frozenset('_)]»"”%؟?!.…*')
_MACRO = re.compile("<(network|share|channel)>")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Between items; » counts only with spaces around it, since it also ends a quotation.
_BARS = re.compile(r"[|›•·]|\s[/>»]\s|\s{2,}")
_ITEMS = re.compile(r"[|›•·]|\s[-–—/»]\s")
_DIVIDER = re.compile(r"[-–—_=•·|.<>«»›‹/\\\s]+")
_COMMAS = re.compile("[,،|;؛]")
_NO_KEYWORD = re.compile(r"[:<>{}=()\"“”«»]")
_SENTENCE_END = re.compile(r"[.!?؟…:][\"'”’»)\]]*$")
_LIST_MARK = re.compile(r"(?:\d{1,3}|[^\W\d_])[-.)–]\s|[*•–-]\s")
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
# The credit of a picture, at the end of its caption: in brackets, after a dash or after a label.
_AGENCIES = (
    r"رويترز|(?:وكاله )?الصحافه الفرنسيه|ا ?ف ?ب|اسوشيتد برس|الاناضول|غيتي|جيتي|شينخوا|سبوتنيك|مواقع التواصل"
    r"|reuters|getty|afp|ap|epa"
)
_PHOTO_LABELS = r"تصوير|عدسه|صوره|الصوره|photo(?:graph|graphy)?s?|pics?|images?|pictures?|credit"
_CREDIT = re.compile(
    rf"(?:[\[(](?:[^()\[\]]{{0,25}}\b)?(?:{_PHOTO_LABELS}|ارشيف\w*|file|courtesy|supplied|handout|archive)"
    rf"\b[^()\[\]]{{0,40}}[\])]|[\[(](?:[^()\[\]]{{0,25}}[\s/،,-])?(?:{_AGENCIES}|الفرنسيه|الاوروبيه)"
    r"(?:[\s/،,-][^()\[\]]{0,25})?[\])]"
    rf"|(?:^|[.!?»\")\]\w]\s?[-–—/|]?\s?)\bو?(?:{_PHOTO_LABELS})(?: by| courtesy| credit| من)?"
    r" ?[:：] ?.{2,60}"
    r"|[.»\")\w] (?:photo(?:graph)?|image|picture)s? (?:courtesy(?: of)?|by|via) .{2,60}"
    r"|\s[-–—|/] ?(?:عدسه|تصوير) .{2,40}|\S \((?!source|المصدر|المصادر|via)[^():]{2,30}: [^():\d]{2,40}\)"
    r"|^photo (?:by )?\w+(?: \w+){0,3}"
    r"|\s[-–—|/] ?(?:ارشيف(?:يه)?|صوره ارشيفيه|رويترز|ا ?ف ?ب|الاناضول|عدستي|file photo|file|archive"
    r"|reuters|afp|getty images))$"
)
# A line of JavaScript or CSS: a statement, a rule, or the end of a block.
_PROPERTY = (
    "-webkit|-moz|color|font|margin|padding|border|background|width|height|display|position|float|text|line"
    "|z-index"
)
_CODE = re.compile(
    r"^\(?(?:async )?function\s*\w*\([^)]*\)\s*\{|^(?:var|let|const) [\w$]+ ?="
    r"|^(?:document|window)\.\w+ ?[=(.\[]"
    r"|^\(adsbygoogle|^\w+(?:\.\w+)+\([^)]*\);$|^(?:jQuery|\$)\(|^[})\];]*[}\]][})\];]*$"
    r"|^[.#@]?[\w-]+(?:[ ,.#>:][.#]?[\w-]+){0,6} ?\{(?:[^{}]*[:;][^{}]*\}?|\s*)$"
    rf"|^(?:{_PROPERTY})[a-z-]* ?: ?[^:;]{{1,60}};\s*\}}?$"
    r"|^(?:/\*|<!--|//<!\[)[^\u0600-\u06ff]*$|^//\]\]>"
)
_CODE_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_ARABIC = re.compile("[\u0600-\u06ff]")
_END_OF_REPORT = re.compile("/{1,3} ?انته[ىي] ?/{1,3}")  # of a news agency
_AGENCY_END = re.compile(r"\((?:reporting|editing|additional reporting|writing|تحرير|اعداد|كتابه|تغطيه)\b")


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    reason: str
    whole: re.Pattern[str] | None
    opening: re.Pattern[str] | None
    words: frozenset[str]


def normalize_line(line: str) -> str:
    """Return a line in the form that patterns match: normalized letters, lower case, single spaces, no edges.

    The edges are all signs at both ends but the few that patterns use.
    """
    return _normalize(line) if len(line) > LONG else _normalize_short(line)


def _normalize(line: str) -> str:
    normalized = " ".join(bare_letters(drop_invisible(line)).casefold().split())
    start, end = 0, len(normalized)
    while start < end and not (normalized[start].isalnum() or normalized[start] in _EDGE_AT_START):
        start += 1
    while end > start and not (normalized[end - 1].isalnum() or normalized[end - 1] in _EDGE_AT_END):
        end -= 1
    return normalized[start:end]


_normalize_short = lru_cache(maxsize=65_536)(_normalize)


@dataclass(frozen=True, slots=True)
class _RuleBook:
    """The content of rules.toml, with its patterns compiled and its words normalized."""

    rules: tuple[_Rule, ...]
    joining: frozenset[str]
    sections: frozenset[str]
    network: re.Pattern[str]


@lru_cache(maxsize=1)
def _rule_book() -> _RuleBook:
    content = tomllib.loads(_PATTERNS.read_text("utf-8"))
    macros = {name: "(?:" + "|".join(patterns) + ")" for name, patterns in content["macros"].items()}

    def compile_all(patterns: list[str], tail: str = "") -> re.Pattern[str] | None:
        if not patterns:
            return None
        expanded = (_MACRO.sub(lambda macro: macros[macro.group(1)], pattern) for pattern in patterns)
        return re.compile("(?:" + "|".join(map(bare_letters, expanded)) + ")" + tail, re.IGNORECASE)

    rules = (
        _Rule(
            name,
            rule["reason"],
            compile_all(rule.get("whole", []), r"[\s:.…!*]*"),
            compile_all(rule.get("opening", [])),
            _words(rule.get("words", "")),
        )
        for name, rule in content["rules"].items()
    )
    words = content["words"]
    network = re.compile(bare_letters(macros["network"]), re.IGNORECASE)
    return _RuleBook(tuple(rules), _words(words["joining"]), _words(words["sections"]), network)


def _words(listed: str) -> frozenset[str]:
    return frozenset(map(normalize_line, listed.split()))


@lru_cache(maxsize=1)
def rule_reasons() -> Mapping[str, str]:
    """Return the reason of each rule, by the rule's name."""
    return MappingProxyType({rule.name: rule.reason for rule in _rule_book().rules})


def matching_rule(line: str) -> str | None:
    """Return the rule by which a line is boilerplate by its text alone; None if no rule applies."""
    line = drop_invisible(line)
    if len(line) > LONG:
        return None
    if _is_tracking(line):
        return "tracking"
    if _CODE.search(line.strip()) and not _ARABIC.search(_CODE_STRING.sub("", line)):
        return "code"
    normalized = normalize_line(line)
    if not any(char.isalnum() or char == "©" for char in normalized):
        return "divider" if _DIVIDER.fullmatch(line.strip()) else None
    rule = _by_pattern(normalized) or _by_form(line, normalized)
    if rule in _SPOKEN_OF and len(line) > SPOKEN and _QUOTATION.search(line):
        return None
    return rule


def _by_pattern(normalized: str) -> str | None:
    rules = _rule_book().rules
    whole = (rule.name for rule in rules if rule.whole and rule.whole.fullmatch(normalized))
    opening = (rule.name for rule in rules if rule.opening and rule.opening.match(normalized))
    return next(whole, None) or next(opening, None)


def _by_form(line: str, normalized: str) -> str | None:
    """Return the rule of a line by its composition: hashtags, a player, a credit, a menu, a rule's words."""
    if _END_OF_REPORT.fullmatch(line.strip()):
        return "divider"
    if _HASHTAGS.fullmatch(line.strip()):
        return "tags"
    if _PLAYER.fullmatch(normalized):
        return "controls"
    if len(line) <= 220 and _CREDIT.search(normalized) and not _AGENCY_END.search(normalized):
        return "caption"
    return "navigation" if _is_menu(line) else _of_rule_words(line) or _of_boilerplate_items(line)


def is_keyword_list(line: str, *, least: int = 5) -> bool:
    """Return whether a line is a list of keywords: short items between commas or bars, not a sentence."""
    items = [item for raw_item in _COMMAS.split(line.strip(" .،,|")) if (item := raw_item.strip())]
    if len(items) < least or _NO_KEYWORD.search(line) or _SENTENCE_END.search(line.strip()):
        return False  # after a colon come the values of a label, such as the players of a team
    lengths = [len(_WORD.findall(item)) for item in items]
    # A sentence that lists names puts «and» before the last one.
    last = items[-1].split()
    is_sentence = len(last) > 1 and last[0] in ("and", "or", "و")
    # The first item may be longer: it can have a label or words that introduce the list.
    return max(lengths[1:]) <= 4 and sum(lengths) <= 2.6 * len(items) and not is_sentence


def _is_menu(line: str) -> bool:
    """Return whether a line is a menu: names of sections, or short items between bars."""
    words = _normalized_words(line)
    sections = sum(map(_names_section, words))
    needed_share = 0.6 if words and words[0] in _HOME else 0.75
    if len(words) >= 3 and sections >= needed_share * len(words) and not _SENTENCE_END.search(line.strip()):
        return True
    items = _items(_BARS, line)
    if len(items) < 3 or any(len(item.split()) > 4 for item in items):
        return False
    menu_words = sections + sum(_rule_for_word(word) is not None for word in words)
    return menu_words >= max(2, len(words) // 3)


def _of_rule_words(line: str) -> str | None:
    """Return the rule whose words make up a short line; it may also have joining words, networks, numbers."""
    content = line.strip()
    words = _normalized_words(content)
    if not 1 <= len(words) <= MADE_OF or _LIST_MARK.match(content) or content.endswith((":", "：")):
        return None  # an item or the label of a list
    if content.endswith((".", "؟", "?")) and "..." not in content:
        return None
    counts: Counter[str] = Counter()  # words of each rule
    for word in words:
        rule = _rule_for_word(word)
        if rule:
            counts[rule] += 1
        elif not (word in _rule_book().joining or word.isdigit()):
            return None
    networks = counts.pop(_NETWORK, 0)
    if counts["share"] or counts["controls"]:
        networks = 0
    others = sum(word.isdigit() for word in words) + networks
    rule_words = counts.total()
    # Otherwise it may be a sentence about a network, or a heading with its number.
    enough = rule_words >= max(others, 1 + (others > 0))
    return max(counts, key=lambda rule: counts[rule]) if enough else None


def _of_boilerplate_items(line: str) -> str | None:
    """Return the rule of a short line if most of its items, between bars or dashes, are boilerplate."""
    items = _items(_ITEMS, line)
    if (
        not 2 <= len(items) <= 8
        or len(_WORD.findall(line)) > 2 * MADE_OF
        or _SENTENCE_END.search(line.strip())
    ):
        return None
    rules = [rule for item in items if len(item) < len(line) and (rule := matching_rule(item))]
    return rules[-1] if 2 * len(rules) > len(items) else None


def _items(separator: re.Pattern[str], line: str) -> list[str]:
    """Return the items of a line between separators; a line with a quotation in «» has no items."""
    if "«" in line:
        return []
    return [item for raw_item in separator.split(line.strip()) if (item := raw_item.strip())]


def _normalized_words(line: str) -> list[str]:
    return [normalize_line(word) for word in _WORD.findall(line)]


@lru_cache(maxsize=65_536)
def _rule_for_word(word: str) -> str | None:
    """Return the rule that has a normalized word in its list; _NETWORK for the name of a network."""
    rule = next((rule.name for rule in _rule_book().rules if _is_one_of(word, rule.words)), None)
    return rule or (_NETWORK if _rule_book().network.fullmatch(word) else None)


@lru_cache(maxsize=65_536)
def _names_section(word: str) -> bool:
    return _is_one_of(word, _rule_book().sections)


def _is_one_of(word: str, words: frozenset[str]) -> bool:
    """Return whether a normalized word is one of `words`, with or without article and particle before it."""
    if word in words:
        return True
    return any(word.startswith(prefix) and word[len(prefix) :] in words for prefix in _PREFIXES)


def names_a_section(line: str) -> bool:
    """Return whether a line is the name of a section of a site, such as «اقتصاد وبورصة»."""
    words = _normalized_words(line)
    joining = _rule_book().joining
    section_words = sum(map(_names_section, words))
    all_named = section_words and all(_names_section(word) or word in joining for word in words)
    return bool(all_named) and len(words) <= 4 and not _SENTENCE_END.search(line.strip())


def is_network(line: str) -> bool:
    """Return whether a line is the name of a social network and nothing else."""
    return bool(_rule_book().network.fullmatch(normalize_line(line)))


def _is_tracking(line: str) -> bool:
    """Return whether a line is a tracking string or the IP address of a reader, with few words around it."""
    content = line.strip()
    if any(_is_base64_text(match.group()) for match in _BASE64.finditer(content)) and len(content) <= 160:
        return True
    rest = _IDENTIFIER.sub("", content)
    if rest != content and len(_WORD.findall(_URL.sub("", rest))) <= 4:
        return True
    # A short line with an IP address has the reader's; a longer one may be a sentence about an address.
    rest = " ".join(token for token in content.split() if not _is_address(token.strip("()[]،,;.")))
    return rest != " ".join(content.split()) and len(content) <= 60 and len(_WORD.findall(rest)) <= 4


def _is_address(token: str) -> bool:
    """Return whether a token is an IP address, version 4 or 6."""
    if token.count(":") < 2 and token.count(".") != 3:
        return False
    try:
        ip_address(token)
        return True
    except ValueError:
        return False


def _is_base64_text(token: str) -> bool:
    """Return whether a token is base64 of printable ASCII; words and names never decode to that."""
    body = token.rstrip("=")
    if len(body) % 4 == 1:
        return False
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(decoded) >= 9 and all(32 <= byte < 127 for byte in decoded)
