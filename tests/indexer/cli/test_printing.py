"""What the command line prints for people commands no terminal, whatever stands in texts and names."""

import pytest

from indexer.cli.printing import visible

ESCAPE = "\x1b]0;owned\x07\x9b31m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("عنوان\tثان\nسطر", "عنوان\tثان\nسطر"), ("\x1b[2J", "\\x1b[2J"), ("\x9b2J", "\\x9b2J"), ("a\r\nb", "a\nb"),
        ("a\rb", "a\\x0db"), ("a\u202eb", "a\\u202eb"), ("\u200fعنوان\u200e", "\u200fعنوان\u200e"),
        ("a\u2028b\x7f", "a\\u2028b\\x7f"), ("", ""),
    ],
)  # fmt: skip
def test_controls_are_made_visible(text, shown):
    assert visible(text) == shown


def test_inspect_shows_the_controls_of_a_text_and_of_a_name(run, tmp_path):
    file = tmp_path / "a\x1b[31m.txt"
    file.write_text(f"The harbour {ESCAPE} opens\n\nDivers have mapped \u202eit\u202c.\n", "utf-8")
    done = run("inspect", file, "--index", tmp_path / "none")
    assert done.status == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.out)
    assert "The harbour \\x1b]0;owned\\x07\\x9b31m opens" in done.out
    done = run("inspect", file, "--index", tmp_path / "none", "--json")
    assert not {"\x1b", "\x07", "\x9b"} & set(done.out)
    assert ESCAPE in done.json["lines"][0]["text"]


def test_an_error_shows_the_controls_of_a_name(run, tmp_path):
    done = run("inspect", tmp_path / "no\x1b[2J.txt")
    assert "\x1b" not in done.out + done.err
    assert "no\\x1b[2J.txt" in done.err
