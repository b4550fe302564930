"""Look for texts that stop the reading, with a fuzzer that follows the coverage of the code.

    pip install atheris
    python benchmarks/fuzz.py [SECONDS]

Each input goes through the rules, the cutting and splitting of a document, the readers of dates and the
detection of encodings. The run ends at what raises anything but UnreadableFile, breaks a promise that is
checked here, or takes more than two seconds of the processor, and saves it in the working folder. Seeds are
the lines below; inputs that reach new code are mixed with them in memory.
"""

import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["indexer"]):
    from indexer.boilerplate.layout import clean
    from indexer.boilerplate.patterns import matching_rule
    from indexer.datatypes import Document
    from indexer.errors import UnreadableFile
    from indexer.ingest.encoding.detect import decode
    from indexer.ingest.metadata.dates import find_published, parse_date
    from indexer.text.passages import split_document
    from indexer.text.sentences import split_sentences

SLOW = 2.0  # seconds of the processor
SEEDS = [
    "Home | About us | Contact | © 2024 Site\n\nA headline of the day\n\nTalks began on 5 May 2024.",
    "الرئيسية » أخبار » سياسة\nعنوان\n\nجدة 28 جمادى الآخرة 1447 هـ الموافق 19 ديسمبر 2025 م",
    "قال الوزير: «نعم».",
    "Related\nRecommended by\nShare on Facebook\nTwitter\n\nComments (3)\nsays Omar: how true",
    "2024-05-06T22:30:00Z ١٤٤٥/٣/٢ ۱۴۰۲/۰۵/۰۱ نشر في 12:30 م", "رابط الخبر: // انتهى // © جميع الحقوق محفوظة",
    ".\"' ...!؟؟ Dr. U.S. e.g. 3.5 «نعم.» (a) [b]", "\ufeff\u200f\u0640ـــ\u0300\ufdfa",
    "function(){var a=1;} .css{margin:0}\n<script>", "<html>&nbsp;&lt;&#1587;",
    "#tag1, #tag2, tag three, وسم",
]  # fmt: skip


def read(data: bytes) -> None:
    """Read one input by every way; raises AssertionError where a promise is broken."""
    started = time.process_time()
    try:
        text = decode(data).text
    except UnreadableFile:
        text = data.decode("utf-8", "replace")
    for line in text.split("\n"):
        matching_rule(line)
        parse_date(line)
    find_published(text.split("\n"))
    document, cuts = clean(Document("fuzzed.txt", "", text, "", "en"))
    assert len(document.text) == len(text), "cutting moves no letter"
    article = split_document(document, lambda piece: len(piece) // 4, 512, cuts)
    end = 0
    for passage in article.passages:
        assert end <= passage.start < passage.end <= len(text), "passages stand one behind the other"
        end, piece = passage.end, document.text[passage.start : passage.end]
        assert piece in text, "a passage is its file's own words"
        ranges = split_sentences(piece, wrapped=False)
        assert all(first < last for first, last in ranges), "no sentence is empty"
    assert time.process_time() - started < SLOW, "it takes its time"


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "1800"
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            Path(seeds, str(number)).write_text(seed, "utf-8")
        atheris.Setup(
            [sys.argv[0], seeds, f"-max_total_time={seconds}", "-max_len=4096", "-timeout=60"], read
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
