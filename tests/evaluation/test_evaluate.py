import dataclasses
import json

import numpy as np
import pytest

from jargonaut.core.errors import InputError
from jargonaut.evaluate_folder import EvaluationOptions, evaluate_folder
from jargonaut.index.lance import LanceIndexWriter
from tests.command_line import CommandLine
from tests.encoding.tiny_encoders import write_tiny_encoder
from tests.evaluation.beir_folder import write_beir


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    return write_beir(folder / "set"), str(write_tiny_encoder(folder / "tiny")), folder


def test_every_row_is_measured_and_set_against_the_best_untrained_one(places):
    data, encoder, folder = places
    evaluation = evaluate_folder(data, EvaluationOptions("test", encoder, cache=folder / "cache"))
    rows = {row.name: row for row in evaluation.rows}
    assert {"bm25", "base", "rrf", "z-sum"} <= set(rows)
    assert rows["bm25"].ndcg == 1.0  # the words of each question are in its document only
    best = rows[evaluation.best_untrained]
    assert best.difference is None
    assert not best.fitted
    for row in evaluation.rows:
        assert row.ndcg <= best.ndcg or row.fitted
        if row is not best:
            np.testing.assert_allclose(row.difference.mean, row.ndcg - best.ndcg, atol=1e-12)


def test_nothing_is_encoded_twice(places, monkeypatch):
    data, encoder, folder = places
    options = EvaluationOptions("test", encoder, cache=folder / "again")
    first = evaluate_folder(data, options)

    def written(self, batch):
        raise AssertionError(f"written again: {batch}")

    monkeypatch.setattr(LanceIndexWriter, "replace", written)
    again = evaluate_folder(data, options)
    for one, other in zip(first.rows, again.rows, strict=True):
        np.testing.assert_array_equal(one.scores.ndcg_at_10, other.scores.ndcg_at_10)


def test_a_document_that_changed_is_encoded_anew_and_one_that_went_is_gone(places, tmp_path):
    _, encoder, _ = places
    data = write_beir(tmp_path / "set")
    options = EvaluationOptions("test", encoder, cache=tmp_path / "cache")
    before = evaluate_folder(data, options)
    corpus = (data / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(corpus[7])
    record["text"] = "nothing"
    (data / "corpus.jsonl").write_text("\n".join([*corpus[1:7], json.dumps(record)]), encoding="utf-8")
    after = evaluate_folder(data, options)
    assert after.chunks == before.chunks - 1
    bm25 = {row.name: row for row in after.rows}["bm25"]
    assert bm25.scores.ndcg_at_10[:3].tolist() == [1.0, 1.0, 1.0]
    assert bm25.scores.ndcg_at_10[3] < 0.5


def test_the_command(places):
    data, encoder, folder = places
    call = ["evaluate", "--data", str(data), "--encoder", encoder, "--cache", str(folder / "cli")]
    command_line = CommandLine(folder / "home")
    shown = command_line.run(*call)
    assert "split test_unseen: 2 questions, 8 documents" in shown.stdout
    record = json.loads(command_line.run(*call, "--split", "test", "--json").stdout)
    assert record["queries"] == 4
    assert {row["name"] for row in record["rows"]} >= {"bm25", "base", "rrf", "z-sum", "documents alone"}
    assert record["agreed"]["queries"] == 0  # four questions are not enough
    assert record["best_untrained"] in {row["name"] for row in record["rows"]}


def test_enough_questions_without_labels_move_the_weight(places, tmp_path):
    data, encoder, folder = places
    log = tmp_path / "log.txt"
    log.write_text("\n".join(f"valve{letter} number {n}" for letter in "abcdefgh" for n in range(8)), encoding="utf-8")
    options = EvaluationOptions("test", encoder, queries=log, cache=folder / "cache")
    evaluation = evaluate_folder(data, options)
    assert evaluation.agreed.queries == 64
    assert [row.name for row in evaluation.rows][-1] == "with unlabelled questions"
    with pytest.raises(InputError, match="look at none"):
        evaluate_folder(data, dataclasses.replace(options, documents_alone=True))


def test_words_alone(places):
    data, _, folder = places
    evaluation = evaluate_folder(data, EvaluationOptions("test", "none", cache=folder / "words"))
    (row,) = evaluation.rows
    assert (row.name, row.ndcg, evaluation.encoder) == ("bm25", 1.0, "none")
