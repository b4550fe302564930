"""Evaluate: measures worked by hand on folders of a few lines, and rows as they are promised."""

import json
import math
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cli.output import measures_text, silence_text
from indexer.errors import ModelError, RequestError
from indexer.evaluation.datasets import read_dataset, read_datasets, read_distractors
from indexer.evaluation.ranking import EVALUATED_MODES, bootstrap_interval, evaluate
from indexer.evaluation.silence import evaluate_silence
from indexer.retrieval.searcher import Searcher
from indexer.retrieval.silence import Judgement
from tests.support.fakes import FakeModel, TwoTongues, bag_of_words

MEASURES = ("nDCG@10", "MRR@10", "Recall@10", "Recall@100")


def write(folder, corpus, queries, qrels):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def text(key, words, lang="en"):
    return {"_id": key, "text": words, "lang": lang}


def only(measured, query_lang="en", passage_lang="all", mode="hybrid"):
    (row,) = [
        row for row in measured["results"]
        if (row["query_lang"], row["passage_lang"], row["mode"]) == (query_lang, passage_lang, mode)
    ]  # fmt: skip
    return row


def values(row):
    return [row[name] for name in MEASURES]


@pytest.fixture
def small(tmp_path):
    """Cosines to «alpha»: d3 1, d2 0.71, d1 0.58. To «beta»: d2 0.71, d1 0.58."""
    return write(
        tmp_path / "small",
        [text("d1", "alpha beta gamma"), text("d2", "alpha beta"), text("d3", "alpha"), text("d4", "delta")],
        [text("q1", "alpha"), text("q2", "beta")],
        [("q1", "d2", 1), ("q1", "d4", 0), ("q2", "d1", 2), ("q2", "d2", 1)],
    )


def test_fake_model_distinguishes_the_words_of_these_tests():
    words = ["alpha", "beta", "gamma", "delta", "pad", "نهر", "سد"]
    assert len({int(bag_of_words(word).argmax()) for word in words}) == len(words)


def test_measures_equal_hand_calculated_values(small):
    measured = evaluate(read_dataset(small), FakeModel(), ["dense"])
    row = only(measured, mode="dense")
    first = 1 / math.log2(3)  # the one relevant passage at rank 2
    second = (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))  # gains 1, 2 where 2, 1 is the best order
    assert row["nDCG@10"] == pytest.approx((first + second) / 2, abs=1e-4)
    assert row["MRR@10"] == 0.75
    assert row["Recall@10"] == row["Recall@100"] == 1
    assert row["queries"] == 2
    assert measured["passages"] == 4
    assert measured["dataset"] == "small"


def test_ranks_beyond_ten_count_only_for_recall_at_100(tmp_path):
    # Cosines to «alpha» fall with each pad; the relevant ones are at ranks 1 and 12 for q1, 11 for q2.
    corpus = [text(f"d{at}", " ".join(["alpha"] + ["pad"] * at)) for at in range(12)]
    qrels = [("q1", "d0", 1), ("q1", "d11", 1), ("q2", "d10", 1)]
    folder = write(tmp_path / "x", corpus, [text("q1", "alpha"), text("q2", "alpha")], qrels)
    row = only(evaluate(read_dataset(folder), FakeModel(), ["dense"]), mode="dense")
    assert values(row) == pytest.approx([1 / (1 + 1 / math.log2(3)) / 2, 0.5, 0.25, 1.0], abs=1e-4)


@pytest.fixture
def mixed(tmp_path):
    """q1 has an answer in each language, q2 in Arabic alone, q3 none at all, qa is in Arabic."""
    return write(
        tmp_path / "mixed",
        [text("e1", "alpha"), text("e2", "alpha beta"), text("a1", "نهر alpha سد", "ar"), text("a2", "سد", "ar")],
        [text("q1", "alpha"), text("q2", "beta"), text("q3", "gamma"), text("qa", "نهر", "ar")],
        [("q1", "e2", 1), ("q1", "a1", 1), ("q2", "a2", 1), ("q3", "e1", 0), ("qa", "a1", 1), ("qx", "e1", 1),
         ("q1", "nowhere", 1)],
    )  # fmt: skip


def test_rows_are_each_query_language_by_each_passage_language_and_all(mixed):
    measured = evaluate(read_dataset(mixed), FakeModel(), ["dense", "lexical"])
    rows = [
        (row["mode"], row["query_lang"], row["passage_lang"], row["queries"]) for row in measured["results"]
    ]
    assert rows == [
        (mode, *row)
        for mode in ("dense", "lexical")
        for row in [("ar", "ar", 1), ("ar", "all", 1), ("en", "ar", 2), ("en", "en", 1), ("en", "all", 2)]
    ]
    for row in measured["results"]:
        assert [*row] == ["query_lang", "passage_lang", "mode", "queries", *MEASURES, "ci95"]


def test_a_single_passage_language_filters_the_search_and_cuts_the_qrels(mixed):
    measured = evaluate(read_dataset(mixed), FakeModel(), ["dense"])
    # Among the English: e1, then e2, the only one of q1's answers that counts there.
    assert values(only(measured, passage_lang="en", mode="dense")) == pytest.approx(
        [1 / math.log2(3), 0.5, 1, 1], abs=1e-4
    )
    # Among all: e1, e2, a1 for q1, both its answers counting; a2 third or fourth for q2.
    row = only(measured, passage_lang="all", mode="dense")
    of_q1 = (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert row["Recall@10"] == 1
    assert of_q1 / 2 < row["nDCG@10"] < (of_q1 + 1) / 2


def test_data_set_in_one_language_has_rows_for_that_language_and_all(small):
    measured = evaluate(read_dataset(small), FakeModel())
    assert [(row["query_lang"], row["passage_lang"]) for row in measured["results"]] == [
        ("en", "en"),
        ("en", "all"),
    ]
    english, both = measured["results"]
    assert {**english, "passage_lang": "all"} == both


def test_a_query_that_finds_nothing_counts_as_zero(tmp_path):
    folder = write(
        tmp_path / "x",
        [text("d1", "alpha"), text("d2", "beta")],
        [text("q1", "alpha"), text("q2", "unheard"), text("q3", "?!")],
        [("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d2", 1)],
    )
    row = only(evaluate(read_dataset(folder), FakeModel(), ["lexical"]), mode="lexical")
    assert row["queries"] == 3
    assert values(row) == pytest.approx([1 / 3] * 4, abs=1e-4)


def test_all_measures_are_zero_without_results(tmp_path):
    folder = write(
        tmp_path / "x", [text("d1", "alpha"), text("d2", "beta")], [text("q", "unheard")], [("q", "d1", 1)]
    )
    row = only(evaluate(read_dataset(folder), FakeModel(), ["lexical"]), mode="lexical")
    assert (values(row), row["ci95"], row["queries"]) == ([0, 0, 0, 0], [0, 0], 1)


def test_every_mode_is_measured_on_its_own(small):
    measured = evaluate(read_dataset(small), FakeModel(), EVALUATED_MODES)
    assert EVALUATED_MODES == ("hybrid", "dense", "lexical", "raw")
    assert {row["mode"] for row in measured["results"]} == set(EVALUATED_MODES)
    # The language-neutral space does not serve this model, so dense and raw are the same.
    assert {**only(measured, mode="raw"), "mode": "dense"} == only(measured, mode="dense")


def test_raw_uses_the_plain_model_and_dense_uses_the_space(tmp_path):
    """The answer is Arabic and shares the question's words; to the model all English is nearer."""
    corpus = [text("a", "42 alpha نهر سد نهر", "ar"), *(text(f"e{n}", "pad " * (n + 1)) for n in range(4))]
    folder = write(tmp_path / "x", corpus, [text("q", "42 alpha")], [("q", "a", 1)])
    measured = evaluate(read_dataset(folder), TwoTongues(), ["raw", "dense"])
    raw, dense = (only(measured, mode=mode) for mode in ("raw", "dense"))
    assert values(raw) == pytest.approx([1 / math.log2(6), 1 / 5, 1, 1], abs=1e-4)
    assert values(dense) == [1, 1, 1, 1]
    # Alone, in whatever order they are asked for, each gives the same.
    for mode, row in (("raw", raw), ("dense", dense)):
        assert only(evaluate(read_dataset(folder), TwoTongues(), [mode]), mode=mode) == row
    both = evaluate(read_dataset(folder), TwoTongues(), ["dense", "raw"])
    assert (only(both, mode="raw"), only(both, mode="dense")) == (raw, dense)


def test_identical_passages_are_measured_separately(tmp_path):
    corpus = [text("d1", "alpha"), text("d2", "alpha"), text("d3", "beta")]
    folder = write(tmp_path / "x", corpus, [text("q", "alpha")], [("q", "d1", 1), ("q", "d2", 1)])
    for mode in EVALUATED_MODES:
        row = only(evaluate(read_dataset(folder), FakeModel(), [mode]), mode=mode)
        assert values(row) == [1, 1, 1, 1]


def test_one_row_of_a_corpus_is_one_passage_however_long(tmp_path):
    long = "A sentence of a few words. " * 400
    folder = write(
        tmp_path / "x", [text("d1", long), text("d2", "")], [text("q", "sentence")], [("q", "d1", 1)]
    )
    measured = evaluate(read_dataset(folder), FakeModel())
    assert measured["passages"] == 2
    assert only(measured)["nDCG@10"] == 1


def test_evaluation_leaves_no_files_and_loads_the_model_once(small, tmp_path, monkeypatch):
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    model = FakeModel()
    evaluate(read_dataset(small), model, EVALUATED_MODES)
    assert list(temporary.iterdir()) == []
    assert model.opened == 1


def test_titles_languages_and_relevance_are_read_as_given(tmp_path):
    folder = write(
        tmp_path / "x",
        [
            {"_id": 1, "text": "alpha", "title": "Beta"},
            {"_id": "b#2", "text": "نهر", "lang": None, "extra": []},
        ],
        [text("q", "alpha", "ar")],
        [("q", "1", 2), ("q", "b#2", 0), ("q", "c", -1)],
    )
    dataset = read_dataset(folder)
    assert [(row.id, row.text, row.lang, row.title) for row in dataset.corpus] == [
        ("1", "alpha", "en", "Beta"),
        ("b#2", "نهر", "ar", ""),
    ]
    assert dataset.queries[0].lang == "ar"
    assert dataset.qrels == {"q": {"1": 2}}


def test_qrels_need_no_header_and_may_have_windows_line_ends(small):
    (small / "qrels.tsv").write_bytes(b"q1\td2\t1\r\nq2\td1\t2\r\n")
    assert read_dataset(small).qrels == {"q1": {"d2": 1}, "q2": {"d1": 2}}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
@pytest.mark.parametrize(
    "line",
    ["not JSON", "[1, 2]", '"text"', '{"_id": "x"}', '{"text": "x"}', '{"_id": "x", "text": null, "lang": "en"}',
     '{"_id": "x", "text": 5, "lang": "en"}', '{"_id": "x", "text": "y", "lang": 5}',
     '{"_id": "x", "text": "y", "lang": "en", "title": 5}'],
)  # fmt: skip
def test_a_malformed_row_is_refused_by_file_and_line(small, name, line):
    with (small / name).open("a", encoding="utf-8") as file:
        file.write("\n" + line + "\n")
    number = (small / name).read_text("utf-8").count("\n")
    with pytest.raises(RequestError, match=f"{name}, line {number}:") as error:
        read_dataset(small)
    assert error.value.code == "bad_dataset"


@pytest.mark.parametrize(
    "line", ["q1\td1", "q1 d1 1", "q1\td1\tyes", "q1\t0\td1\t1", "q1\td1\t--1", "q1\td1\t²", "q1\td1\t1.5"]
)
def test_a_malformed_judgement_is_refused_by_file_and_line(small, line):
    with (small / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(RequestError, match=r"qrels\.tsv, line 6:"):
        read_dataset(small)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_file_that_is_missing_or_not_text_is_named(small, name):
    (small / name).write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match=f"{name}.*UTF-8"):
        read_dataset(small)
    (small / name).unlink()
    with pytest.raises(RequestError, match=f"{name}.*No such file.*BEIR"):
        read_dataset(small)


def test_the_same_id_twice_is_refused(small):
    with (small / "corpus.jsonl").open("a") as file:
        file.write(json.dumps(text("d1", "again")) + "\n")
    with pytest.raises(RequestError, match=r"corpus\.jsonl"):
        read_dataset(small)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_interval_contains_the_mean_and_is_deterministic(sample):
    low, high = bootstrap_interval(sample)
    assert [low, high] == bootstrap_interval(sample)
    mean = sum(sample) / len(sample)
    assert min(sample) - 1e-4 <= low <= mean + 1e-4
    assert mean - 1e-4 <= high <= max(sample) + 1e-4


def test_the_interval_of_many_values_is_that_of_a_normal_mean():
    sample = np.random.default_rng(3).uniform(0, 1, 600)
    low, high = bootstrap_interval(list(sample))
    half = 1.96 * sample.std() / math.sqrt(len(sample))
    assert low == pytest.approx(sample.mean() - half, abs=half * 0.15)
    assert high == pytest.approx(sample.mean() + half, abs=half * 0.15)


def test_the_interval_of_equal_values_is_that_value():
    assert bootstrap_interval([0.25] * 9) == [0.25, 0.25]


# --- the sentence that answers -------------------------------------------------------------------------

SENTENCES = ["Alpha gamma omega delta sigma.", "Beta kappa lambda theta zeta.", "Eta iota rho upsilon phi."]


def with_answers(folder, *answers):
    write(
        folder,
        [text("d1", " ".join(SENTENCES)), text("d2", SENTENCES[0])],
        [text("q1", "beta kappa lambda"), text("q2", "eta iota rho"), text("q3", "alpha gamma")],
        [("q1", "d1", 1), ("q2", "d1", 1), ("q3", "d2", 1)],
    )
    lines = [
        json.dumps(dict(zip(("query-id", "corpus-id", "start", "end"), row, strict=True))) for row in answers
    ]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return read_dataset(folder)


def test_right_and_marked_answers_are_counted_by_hand(tmp_path):
    beta, eta = " ".join(SENTENCES).index("kappa"), " ".join(SENTENCES).index("iota")
    dataset = with_answers(
        tmp_path / "set",
        ("q1", "d1", beta, beta + 5), ("q2", "d1", eta, eta + 4), ("q2", "d1", 0, 5),  # the last one is elsewhere
        ("q3", "d2", 0, 5),  # of a single sentence, which is easily right
        ("q9", "d1", 0, 5), ("q1", "d9", 0, 5),
    )  # fmt: skip
    measured = evaluate(dataset, FakeModel())
    assert measured["answers"] == [
        {
            "query_lang": "en",
            "passage_lang": "en",
            "pairs": 3,
            "right": 0.6667,
            "marked": 1.0,
            "right_if_marked": 0.6667,
        }
    ]
    assert measures_text(measured, {}).splitlines()[-2:] == [
        "answers  questions  passages    pairs     right    marked  right if marked",
        "         en         en             3     0.667     1.000            0.667",
    ]
    assert "answers" not in evaluate(dataset, FakeModel(), ["dense"])


def test_set_without_answers_has_none(small):
    assert "answers" not in evaluate(read_dataset(small), FakeModel())


@pytest.mark.parametrize(
    "line", ["{}", "[]", '{"query-id": "q", "corpus-id": "d", "start": "x", "end": 1}', "{"]
)
def test_invalid_answer_is_reported_with_its_line(tmp_path, line):
    with_answers(tmp_path / "set")
    (tmp_path / "set" / "answers.jsonl").write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(RequestError, match=r"answers\.jsonl, line 2"):
        read_dataset(tmp_path / "set")


def test_distractors_are_searched_and_answer_nothing(small, tmp_path):
    plain = evaluate(read_dataset(small), FakeModel(), ["dense"])
    write(
        tmp_path / "sets" / "one", [text("d1", "alpha"), text("x", "beta beta"), text("y", "delta")], [], []
    )
    write(tmp_path / "sets" / "two", [text("x", "beta beta"), text("z", "أ", "ar")], [], [])
    dataset = read_dataset(small)
    others = read_distractors([tmp_path / "sets"], dataset)
    assert [other.id for other in others] == ["one/x", "two/z"]  # the others are in the dataset, or twice
    measured = evaluate(dataset, FakeModel(), ["dense"], distractors=others)
    assert measured["passages"] == plain["passages"] + 2
    assert [row["passage_lang"] for row in measured["results"]] == ["en", "all"]
    # «beta» finds the distractor first, so what was at ranks 1 and 2 is at 2 and 3; «alpha» finds what it did.
    assert only(measured, mode="dense")["MRR@10"] == 0.5
    assert read_distractors([tmp_path / "sets" / "two"], dataset)[0].id == "two/x"


def test_a_folder_without_datasets_has_no_distractors(small, tmp_path):
    with pytest.raises(RequestError, match=r"holds no corpus\.jsonl"):
        read_distractors([tmp_path / "nowhere"], read_dataset(small))


def test_silence_is_measured_with_and_without_the_answers(small, tmp_path, monkeypatch):
    """A question is judged by its best passage: here «unsure» from a cosine of 0.6, «no» below 0.5."""

    def judged(self, pool, _query):
        best = max((each.explanation.passage for each in pool.candidates), default=0.0)
        answerable = "yes" if best >= 0.65 else "unsure" if best >= 0.5 else "no"
        return Judgement(answerable, frozenset(), True, best)

    monkeypatch.setattr(Searcher, "_judge", judged)
    other = write(tmp_path / "z-other", [text("e1", "pad")], [text("r1", "pad"), text("r2", "alpha")], [])
    rows = evaluate_silence([read_dataset(small), read_dataset(other)], FakeModel())
    by_kind = {(row["archive"], row["kind"]): row for row in rows}
    assert set(by_kind) == {("small", "own"), ("small", "without"), ("small", "other"), ("z-other", "other")}
    own, without = by_kind["small", "own"], by_kind["small", "without"]
    assert (own["queries"], own["no"], own["doubted"], own["passages"]) == (2, 0.0, 0.0, 4)
    # «alpha» (d2 answers) still finds d3 at 1; «beta» (d1 and d2 answer) finds nothing.
    assert (without["queries"], without["no"], without["doubted"], without["caught"]) == (2, 0.5, 0.5, 0.5)
    # «alpha» is asked in the archive by its own dataset too, so only «pad» counts as another's.
    assert (by_kind["small", "other"]["queries"], by_kind["small", "other"]["no"]) == (1, 1.0)
    assert by_kind["z-other", "other"]["caught"] is None
    told = silence_text(rows)
    assert "small, en: 4 passages" in told
    assert "z-other, en: 1 passages" in told


def test_silence_of_a_model_on_another_scale_is_refused(small):
    with pytest.raises(ModelError, match="another scale"):
        evaluate_silence([read_dataset(small)], FakeModel())


def test_datasets_of_a_folder_are_read_in_order(small, tmp_path):
    write(tmp_path / "a", [text("d", "pad")], [], [])
    assert [each.name for each in read_datasets(tmp_path)] == ["a", "small"]
    assert [each.name for each in read_datasets(small)] == ["small"]
    with pytest.raises(RequestError, match=r"holds no corpus\.jsonl"):
        read_datasets(small / "nothing")


def test_query_with_signs_and_spaces_is_encoded_as_it_is_searched(small):
    dataset = read_dataset(small)
    queries = [replace(query, text=f" {query.text} -zzz ") for query in dataset.queries]
    measured = evaluate(replace(dataset, queries=queries), FakeModel(), ["dense"])
    assert values(only(measured, mode="dense")) == values(
        only(evaluate(dataset, FakeModel(), ["dense"]), mode="dense")
    )
