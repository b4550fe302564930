"""Texts as the bytes that files hold them in."""

import codecs

IN_BYTES = {
    "utf-8": str.encode,
    "utf-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16-le": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "windows-1256": lambda text: text.encode("windows-1256"),
    "iso-8859-6": lambda text: text.encode("iso-8859-6"),
}
