"""Example questions: titles that a sentence answers, of several sources, in either language."""

from indexer import build_index
from indexer.store.folder import IndexFolder
from indexer.store.reader import GenerationReader
from tests.support.fakes import FakeModel

LONG = "Wheat was sold in the markets of the city, and ships left the ports for other countries again."


def examples_of(folder):
    store = GenerationReader.open(IndexFolder(folder))
    store.close()
    return store.manifest.examples


def write(archive, path, title, text):
    (archive / path).parent.mkdir(parents=True, exist_ok=True)
    (archive / path).write_text(f"# {title}\n\n{text}\n", "utf-8")


def test_examples_are_titles_with_the_sentence_nearest_to_each(tmp_path):
    archive, index = tmp_path / "archive", tmp_path / "index"
    for number in range(5):
        answer = f"Envoys met about the grain corridor number {number} on Monday"
        write(
            archive,
            f"wire/{number}.md",
            f"Envoys met about grain corridor {number}",
            f"{LONG} {answer}. {LONG}",
        )
    write(
        archive,
        "post/a.md",
        "Rivers rise after the winter rains",
        f"Rivers rise after long winter rains. {LONG} {LONG}",
    )
    write(
        archive,
        "post/ar.md",
        "امتلاء السدود بعد أمطار الشتاء",
        "كان الطقس باردا في أنحاء البلاد طوال الأسبوع الماضي. امتلاء السدود كلها بعد أمطار الشتاء. ولم تعلن الوزارة عن موعد الاجتماع المقبل.",
    )
    write(archive, "post/none.md", "A title that nothing below is about", "Wheat is sold. Ports are closed.")
    write(archive, "post/short.md", "Rains", "Rains came. They went.")
    build_index(archive, index, FakeModel())
    found = examples_of(index)
    english = [each for each in found if each["lang"] == "en"]
    assert {each["question"] for each in found if each["lang"] == "ar"} == {"امتلاء السدود بعد أمطار الشتاء"}
    assert len(english) == 3
    # One of each source comes before a second one of the same.
    assert len({each["doc_id"].partition("/")[0] for each in english[:2]}) == 2
    for each in english:
        assert each["sentence"] == (
            "Rivers rise after long winter rains."
            if each["doc_id"] == "post/a.md"
            else f"Envoys met about the grain corridor number {each['doc_id'][5]} on Monday."
        )
    # The same archive has the same examples, however it was built.
    write(archive, "wire/9.md", "Nothing in common with anything", "Ports are closed. Wheat is sold.")
    build_index(archive, index, FakeModel())
    assert examples_of(index) == found
    (archive / "post/ar.md").unlink()
    build_index(archive, index, FakeModel())
    assert examples_of(index) == english


def test_archive_without_articles_has_no_examples(tmp_path):
    (tmp_path / "archive").mkdir()
    build_index(tmp_path / "archive", tmp_path / "index", FakeModel())
    assert examples_of(tmp_path / "index") == []
