"""Lines against a loop written by hand and against Python's own file reading."""

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.text.lines import Line, LineNumbers, line_numbers, split_lines

texts = st.text(st.sampled_from("aب \n\r\u2028\u2029\u0085\v\f\x1c\x1d\x1e\t"), min_size=1, max_size=40)


def by_hand(text):
    lines, start, at = [], 0, 0
    while at < len(text):
        if text[at] not in "\r\n":
            at += 1
            continue
        lines.append(Line(len(lines) + 1, start, at))
        at += 2 if text[at : at + 2] == "\r\n" else 1
        start = at
    if start < len(text):
        lines.append(Line(len(lines) + 1, start, len(text)))
    return lines


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts)
@example("\r\n")
@example("\n\r")
@example("a\r\r\n\nb")
def test_lines_equal_the_loop_reference(text):
    assert split_lines(text) == by_hand(text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts)
def test_lines_equal_those_of_a_python_file(text):
    read = io.StringIO(text, newline="").readlines()
    assert [text[line.start : line.end] for line in split_lines(text)] == [
        line.removesuffix("\n").removesuffix("\r") if line.endswith("\r\n") else line.rstrip("\r\n")
        for line in read
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_end_ends_a_line(end):
    text = f"one{end}{end}ثلاثة{end}"
    lines = split_lines(text)
    assert [(line.number, text[line.start : line.end]) for line in lines] == [
        (1, "one"),
        (2, ""),
        (3, "ثلاثة"),
    ]
    assert lines[2].start == 3 + 2 * len(end)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e"])
def test_other_separators_stand_inside_lines(separator):
    text = f"قال{separator}ثم"
    assert split_lines(text) == [Line(1, 0, len(text))]


def test_empty_rest_after_the_last_line_end_is_not_a_line():
    assert len(split_lines("one\n")) == len(split_lines("one")) == 1


@given(st.text("ab\r\n\u2028", min_size=1, max_size=40), st.data())
def test_the_lines_of_one_range_are_counted_as_those_of_many(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert line_numbers(text, start, end) == LineNumbers(text).of(start, end)
