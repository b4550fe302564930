"""Spellings of names: the keys that spellings share, and how far two spellings differ. Pure functions.

A name is spelled in many ways, and across scripts by its sound: «دميترييف», Dmitriev, Dmitriyev.
`spelling_keys` keeps the classes of the consonants, so that spellings of one name share a key; words that
sound alike share it too. `distance` then compares two words sound by sound, with their vowels.

Words are surfaces as text.analysis makes them: small letters, without marks, with ا for every alef.
"""

import math
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import accumulate, islice, product
from pathlib import Path
from typing import NamedTuple

from indexer.text.analysis import is_function_word, terms

LEAST_LETTERS = 3  # of a word that may be a name
LEAST_CONSONANTS = 2  # of a key: too many words have a single one in common
_KEYS = 12  # at most, of a word with letters of several sounds

# The letters of each sound unit, its sounds, and its class or classes of consonants. Sounds: T as in think, D
# as in this, S as in ship, C as in church, Z as in measure, J as in jam, x as in loch, G as in «غ»; others as
# they are written; a, i and u are vowels. A class is a capital letter; a vowel has none.
_LATIN = {
    "tzsch": ("C", ["X"]), "tsch": ("C", ["X"]), "tch": ("C", ["X"]), "sch": ("S", ["X"]),
    "ch": ("CSkx", ["X", "K"]), "sh": ("S", ["X"]), "kh": ("x", ["K"]), "gh": ("Gg", ["K", ""]),
    "th": ("TtD", ["T"]), "dh": ("Dzd", ["D", "S"]), "ph": ("f", ["F"]), "zhzh": ("ZJSz", ["K"]),
    "zh": ("ZJSz", ["K", "X", "S"]), "ck": ("k", ["K"]), "dj": ("J", ["K"]), "qu": ("qk", ["K"]),
    "eaux": ("u", [""]), "eau": ("u", [""]), "gg": ("gJG", ["K"]), "cz": ("C", ["X"]),
    "b": ("b", ["P"]), "c": ("k", ["K"]), "d": ("d", ["D"]), "f": ("f", ["F"]), "g": ("gGJ", ["K"]),
    "h": ("h", [""]), "j": ("JixZ", ["K", ""]), "k": ("k", ["K"]), "l": ("l", ["L"]), "m": ("m", ["M"]),
    "n": ("n", ["N"]), "p": ("p", ["P"]), "q": ("qk", ["K"]), "r": ("r", ["R"]), "s": ("s", ["S"]),
    "t": ("t", ["T"]), "v": ("vf", ["F"]), "w": ("wu", ["", "F"]), "x": ("szS", ["S", "X"]),
    "z": ("z", ["S", "TS"]), "a": ("a", [""]), "e": ("ai", [""]), "i": ("i", [""]), "o": ("ua", [""]),
    "u": ("ua", [""]), "y": ("i", [""]),
}  # fmt: skip
_SOFT_C = ("sC", ["S", "X"])  # before e, i and y
_FRENCH_OR_GERMAN_S = ("s", ["S", "X"])  # at the end, or before t and p
_ARABIC = {
    "تش": ("C", ["X"]), "دج": ("J", ["K"]), "قج": ("JgG", ["K"]), "لله": ("l", ["L"]),
    "ب": ("bp", ["P"]), "پ": ("p", ["P"]), "ت": ("t", ["T"]), "ث": ("T", ["T"]), "ج": ("JgZ", ["K"]),
    "چ": ("C", ["X"]), "ح": ("h", [""]), "خ": ("x", ["K"]), "د": ("d", ["D"]), "ذ": ("D", ["D"]),
    "ر": ("r", ["R"]), "ز": ("z", ["S"]), "ژ": ("Z", ["K"]), "س": ("s", ["S"]), "ش": ("S", ["X"]),
    "ص": ("s", ["S"]), "ض": ("d", ["D"]), "ط": ("t", ["T"]), "ظ": ("zD", ["S", "D"]), "غ": ("Gg", ["K"]),
    "ف": ("fv", ["F"]), "ڤ": ("v", ["F"]), "ق": ("qg", ["K"]), "ك": ("k", ["K"]), "گ": ("g", ["K"]),
    "ل": ("l", ["L"]), "م": ("m", ["M"]), "ن": ("n", ["N"]), "ه": ("h", [""]), "و": ("wu", [""]),
    "اي": ("ai", [""]), "ا": ("a", [""]), "ي": ("i", [""]), "ع": ("aiu", [""]),
}  # fmt: skip
_VOWELS = frozenset("aeiouyايوع")
_NEAR = {frozenset(pair): 0.15 for pair in ["dD", "tT", "wf", "wv", "sz", "kq", "kg", "gG", "qG", "xG", "CS"]}
_NEAR |= {frozenset(pair): 0.3 for pair in ["bp", "xk", "xh", "JZ", "CJ", "SZ", "zD", "dt", "sT", "sS", "ZG"]}
_OTHER_LETTER, _OTHER_VOWEL, _OTHER_SOUND = 0.15, 0.35, 1.5
_KNOWN_NAMES = Path(__file__).with_name("known_names.txt")
_CLITICS = ("وال", "بال", "فال", "كال", "لل", "ال")
_PROCLITICS = "وفبلكس"

_ARABIC_WORD = re.compile("[\u0620-\u064a\u066e-\u06d3]+")
_LATIN_WORD = re.compile("[a-z']+")
_DOUBLED = re.compile(r"(.)\1+")
_LATIN_UNIT = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)))
_ARABIC_UNIT = re.compile("|".join(sorted(_ARABIC, key=len, reverse=True)))


class _Unit(NamedTuple):
    """Letters of a word that are one sound."""

    sounds: str
    """The sounds that they may be."""
    classes: tuple[str, ...]
    absence: float
    """The cost where the other spelling has nothing in their place."""
    vowel: bool


@lru_cache(maxsize=1)
def _known_names() -> dict[str, frozenset[str]]:
    """Return the spellings of each name that known_names.txt lists, by each of them without prefixes."""
    lines = _KNOWN_NAMES.read_text(encoding="utf-8").splitlines()
    groups = [frozenset(terms(line, "surface")) for line in lines if not line.startswith("#")]
    return {stem: group for group in groups for word in group for stem in _stems(word)}


def known_spellings(surface: str) -> frozenset[str]:
    """Return the spellings of a well-known name, itself among them; none of another word."""
    names = _known_names()
    return next((names[stem] for stem in _stems(surface) if stem in names), frozenset())


def may_be_name(surface: str) -> bool:
    """Return whether a word can be the name of someone or something, by its letters alone."""
    return (
        len(surface) >= LEAST_LETTERS
        and bool(_ARABIC_WORD.fullmatch(surface) or _LATIN_WORD.fullmatch(surface))
        and not is_function_word(surface)
    )


def is_arabic(surface: str) -> bool:
    """Return whether a word is written in Arabic letters."""
    return bool(_ARABIC_WORD.fullmatch(surface))


@lru_cache(maxsize=65_536)
def spelling_keys(surface: str) -> frozenset[str]:
    """Return the keys of a word: its consonants by class, with and without what may be prefixed to it."""
    return frozenset(
        key for stem in _stems(surface) for key in _own_keys(stem) if len(key) >= LEAST_CONSONANTS
    )


def distance(one: str, other: str, limit: float = math.inf) -> float:
    """Return how far two spellings differ, for each consonant: 0 where every sound agrees, 1 where none does.

    Of an Arabic word with prefixes, the nearest reading with the same key counts, if there is one. A distance
    beyond `limit` may be returned as infinite.
    """
    pairs = [(left, right) for left in _stems(one) for right in _stems(other)]
    alike = [(left, right) for left, right in pairs if not _own_keys(left).isdisjoint(_own_keys(right))]
    near = [(left, right) for left, right in alike or pairs if _least_distance(left, right) <= limit]
    return min((_distance(left, right) for left, right in near), default=math.inf)


def _least_distance(one: str, other: str) -> float:
    """Return a distance that two words have at least, for the vowels that one of them has more."""
    left, right = _counted(one), _counted(other)
    longer = left if left.vowels > right.may_be_vowels else right
    excess = max(left.vowels - right.may_be_vowels, right.vowels - left.may_be_vowels, 0)
    return excess * longer.absence / max(1, left.consonants, right.consonants)


class _Counted(NamedTuple):
    """How many sounds of a word are vowels, may be vowels, and are consonants."""

    vowels: int
    may_be_vowels: int
    consonants: int
    absence: float
    """The least cost where another word lacks a vowel of it."""


@lru_cache(maxsize=65_536)
def _counted(word: str) -> _Counted:
    units = _units(word)
    vowels = [unit.absence for unit in units if unit.vowel]
    may_be = sum(not set("aiuw").isdisjoint(unit.sounds) for unit in units)
    return _Counted(len(vowels), may_be, len(units) - len(vowels), min(vowels, default=0.0))


def same_word(one: str, other: str) -> bool:
    """Return whether two words differ by nothing but particles and the article prefixed to them."""
    return not set(_stems(one)).isdisjoint(_stems(other))


def without_article(surface: str) -> str:
    """Return a word without the article that may be prefixed to it."""
    stems = _stems(surface)
    return stems[1] if len(stems) > 1 and "ال" in surface[:3] else surface


@lru_cache(maxsize=65_536)
def _stems(surface: str) -> tuple[str, ...]:
    """Return a word and, in Arabic, what remains of it without an article or a particle of one letter."""
    stems = [surface]
    if is_arabic(surface):
        for clitic in _CLITICS:
            if surface.startswith(clitic) and len(surface) - len(clitic) >= LEAST_LETTERS:
                stems.append(surface[len(clitic) :])
                break
        if surface[0] in _PROCLITICS and len(surface) > LEAST_LETTERS + 1:
            stems.append(surface[1:])
    return tuple(stems)


@lru_cache(maxsize=65_536)
def _units(word: str) -> tuple[_Unit, ...]:
    if is_arabic(word):
        return tuple(_arabic_units(word))
    plain = word[0] + word[1:].replace("x", "ks").replace("'", "")
    return tuple(_latin_units(_DOUBLED.sub(_single, plain)))


def _single(match: re.Match[str]) -> str:
    """Return a doubled consonant once; a doubled vowel is long, and two g are the Italian ones."""
    return match.group() if match.group(1) in "aeioug" else match.group(1)


def _latin_units(word: str) -> Iterator[_Unit]:
    before = ""
    for match in _LATIN_UNIT.finditer(word):
        letters, after = match.group(), word[match.end() : match.end() + 1]
        sounds, classes = _LATIN[letters]
        absence = 1.0
        if letters in _VOWELS or letters.startswith("eau"):
            absence = 0.3 if not before else 0.08 if before in _VOWELS else 0.12
        elif letters == "c" and after and after in "eiy":
            sounds, classes = _SOFT_C
        elif letters == "s" and (not after or after in "tp"):
            sounds, classes = _FRENCH_OR_GERMAN_S
        elif letters == "g" and before == "n":
            absence, classes = 0.1, ["K", ""]
        elif letters == "h":
            absence, classes = (0.2, [""]) if before else (0.5, ["H"])
        elif letters in ("w", "gh"):
            absence = 0.25
        yield _Unit(sounds, tuple(classes), absence, letters in _VOWELS)
        before = letters[-1]


def _arabic_units(word: str) -> Iterator[_Unit]:
    for match in _ARABIC_UNIT.finditer(word):
        letters, first, after = match.group(), match.start() == 0, word[match.end() : match.end() + 1]
        sounds, classes = _ARABIC[letters]
        absence = 1.0
        if letters[0] in _VOWELS:  # a written vowel is a long one
            absence = 0.1 if letters == "ع" else 0.5 if after else 0.2
            if first and letters == "ا":  # the letter that carries any vowel at the beginning
                sounds, absence = "aiu", 0.05 if after in ("و", "ي") else 0.3
        elif letters in "هح":
            absence, classes = (0.5, ["H"]) if first else (0.45, [""])
            if not after and letters == "ه":
                sounds = "ha"  # of the feminine ending
        elif letters == "غ" and word[match.start() - 1 : match.start()] == "ن":
            absence, classes = 0.1, ["K", ""]
        elif letters == "ت" and after == "س":
            absence, classes = 0.15, ["T", ""]
        yield _Unit(sounds, tuple(classes), absence, letters[0] in _VOWELS)


@lru_cache(maxsize=65_536)
def _own_keys(word: str) -> frozenset[str]:
    return frozenset(_keys(word))


def _keys(word: str) -> Iterator[str]:
    for classes in islice(product(*(unit.classes for unit in _units(word))), _KEYS):
        key = "".join(classes)
        yield key
        if is_arabic(word):  # two letters of one class may be a single sound in the other script
            yield _DOUBLED.sub(r"\1", key)


def _distance(one: str, other: str) -> float:
    left, right = _units(one), _units(other)
    one_script = is_arabic(one) == is_arabic(other)
    costs = [0.0, *accumulate(unit.absence for unit in right)]
    for unit in left:
        before, costs = costs, [costs[0] + unit.absence]
        for place, facing in enumerate(right, 1):
            costs.append(
                min(
                    before[place - 1] + _difference(unit, facing, one_script=one_script),
                    before[place] + unit.absence,
                    costs[-1] + facing.absence,
                )
            )
    consonants = max(sum(not unit.vowel for unit in units) for units in (left, right))
    return costs[-1] / max(1, consonants)


@cache
def _difference(one: _Unit, other: _Unit, *, one_script: bool) -> float:
    """Return the cost where two units stand in the same place; `one_script` says that both are of one."""
    if (
        one_script
        and one.sounds != other.sounds
        and not (one.vowel and other.vowel)
        and set(one.sounds) & set(other.sounds)
    ):
        return _OTHER_LETTER
    if any(sound in other.sounds for sound in one.sounds):
        return 0.0
    if one.vowel and other.vowel:
        return _OTHER_VOWEL
    pairs = (frozenset((a, b)) for a in one.sounds for b in other.sounds)
    return min(_NEAR.get(pair, _OTHER_SOUND) for pair in pairs)
