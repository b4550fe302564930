import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.embedding.bundled.normalization import (
    METASPACE,
    NORMALIZATION,
    UNKNOWN,
    Normalizer,
    read_normalizer,
)

ALPHABET = "abcلام.▁"
TABLE = {ord("A"): "a", ord("\t"): " ", 0xAD: "", 0xFEFB: "لا", ord("½"): "1c", ord(METASPACE): " "}
normalize = Normalizer(TABLE, ALPHABET)


def by_hand(text):
    """The same in a slow and plain way, one character after another."""
    known = set(ALPHABET) - {METASPACE} | {" "}
    out = []
    for char in text:
        mapped = TABLE.get(ord(char), char)
        for each in mapped:
            if not (each == " " and out[-1:] == [" "]):
                out.append(each if each in known else UNKNOWN)
    return "".join(out)


def test_known_characters_are_unchanged():
    assert normalize("abc. لام") == "abc. لام"


def test_the_table_replaces_drops_and_spells_out():
    assert normalize("A\xadbﻻ") == "abلا"


def test_replacement_without_a_piece_is_unknown():
    assert normalize("½") == UNKNOWN + "c"


def test_runs_of_spaces_collapse_even_after_replacement():
    assert normalize("a  b \t c") == "a b c"
    assert normalize("  a ") == " a "
    assert normalize("a \xad b") == "a b"


def test_each_unknown_character_counts_for_itself():
    assert normalize("a𓀀𓀁b") == f"a{UNKNOWN}{UNKNOWN}b"


def test_the_mark_of_spaces_is_not_a_character_of_the_alphabet():
    assert Normalizer({}, ALPHABET)("a▁b") == f"a{UNKNOWN}b"


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.sampled_from("aAbc \t\xadﻻ½▁لz𓀀\U0010ffff"), st.characters()), max_size=40))
def test_normalization_equals_the_reference_and_has_only_known_characters(text):
    normal = normalize(text)
    assert normal == by_hand(text)
    assert set(normal) <= set(ALPHABET) - {METASPACE} | {" ", UNKNOWN}
    assert not re.search("  ", normal)
    assert normalize(normal) == normal


def test_table_is_read_from_the_model_folder(tmp_path):
    stored = {"alphabet": ALPHABET, "table": {str(key): value for key, value in TABLE.items()}}
    (tmp_path / NORMALIZATION).write_text(json.dumps(stored), "utf-8")
    assert read_normalizer(tmp_path)("A½ﻻ  x") == normalize("A½ﻻ  x") == f"a{UNKNOWN}cلا {UNKNOWN}"
