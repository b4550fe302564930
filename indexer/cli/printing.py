"""Print text for people, in which nothing can command the terminal.

Titles, texts, paths and messages come from files that strangers wrote. A control character in one would move
the cursor, change the window's title or hide a line, and a direction override would show a name backwards.
"""

import re

import click

# Controls but line feed and tab; line separators; embeddings, overrides and isolates of direction. The marks
# of direction (U+200E, U+200F, U+061C) stay: Arabic text needs them, and they move only signs beside them.
_COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text with its control characters and direction overrides written as \\x1b or \\u202e."""
    return _COMMANDING.sub(_written, text.replace("\r\n", "\n"))


def _written(control: re.Match[str]) -> str:
    code = ord(control.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def say(text: str, *, err: bool = False) -> None:
    """Print a text for people on stdout, or on stderr."""
    click.echo(visible(text), err=err)
