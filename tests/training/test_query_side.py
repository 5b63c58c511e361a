import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from jargonaut.core.errors import InputError, MissingExtraError, RefusedError
from jargonaut.core.progress import silent
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.storage.local import LocalStorage
from jargonaut.training.query_side import MIN_QUESTIONS, TuningSet, TuningSettings, tune_query_encoder
from tests.encoding.tiny_encoders import WORDS, write_tiny_encoder

needs_torch = pytest.mark.usefixtures("torch")
SETTINGS = TuningSettings(steps=24, batch=16, learning_rate=5e-3, frozen_layers=1, checkpoint_every=5)


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("transformers", reason="the extra `train` is not installed")
    library = pytest.importorskip("torch", reason="the extra `train` is not installed")
    library.set_num_threads(1)  # The encoder is tiny.
    return library


@pytest.fixture
def base(tmp_path):
    return resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))


@pytest.fixture
def examples():
    """Questions of two words, answered by the chunk of the first one."""
    chunks = np.random.default_rng(1).normal(size=(len(WORDS), 32)).astype(np.float32)
    chunks /= np.linalg.norm(chunks, axis=1, keepdims=True)
    asked = [(first, second) for first in range(len(WORDS)) for second in range(len(WORDS)) if first != second]
    return TuningSet(
        questions=tuple(f"{WORDS[first]} {WORDS[second]}" for first, second in asked),
        chunks=chunks,
        relevant=tuple(np.array([first]) for first, _ in asked),
        ignored=tuple(np.array([], dtype=np.intp) for _ in asked),
    )


def encoder(storage, weights, space=""):
    stored = load_encoder(storage, save_encoder(storage, weights, aims_at=space).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path, "f32")


def hits(vectors, examples):
    best = (vectors @ examples.chunks.T).argmax(axis=1)
    return np.mean([row in relevant for row, relevant in zip(best, examples.relevant, strict=True)])


@needs_torch
def test_tuned_questions_find_their_chunks(tmp_path, base, examples):
    told = []
    settings = replace(SETTINGS, steps=100, learning_rate=1e-2)
    tuned = tune_query_encoder(base, examples, settings, tmp_path / "work", lambda *state: told.append(state))
    assert (tuned.steps, tuned.seed, tuned.stopped, len(tuned.losses)) == (100, 7, "", 100)
    assert np.mean(tuned.losses[-5:]) < 0.5 * np.mean(tuned.losses[:5])
    assert [state[1] for state in told] == list(range(1, 101))
    storage = LocalStorage(tmp_path / "artifacts")
    before = hits(encoder(storage, base).encode_queries(examples.questions), examples)
    whole, half = (
        hits(encoder(storage, item.weights, base.space).encode_queries(examples.questions), examples)
        for item in tuned.candidates
    )
    assert whole > before + 0.2
    assert before < half


@needs_torch
def test_candidates_are_query_encoders_for_the_space_of_the_base(tmp_path, base, examples):
    tuned = tune_query_encoder(base, examples, replace(SETTINGS, steps=2), tmp_path / "work", silent)
    storage = LocalStorage(tmp_path / "artifacts")
    cards = [save_encoder(storage, item.weights, aims_at=base.space) for item in tuned.candidates]
    assert {card.space for card in cards} == {base.space}
    assert {card.base for card in cards} == {base.name}
    assert len({card.id for card in cards}) == 2
    assert all(item.weights.space != base.space for item in tuned.candidates)


@needs_torch
def test_only_upper_layers_move_and_shares_lie_on_the_line(tmp_path, base, examples):
    tuned = tune_query_encoder(base, examples, replace(SETTINGS, steps=3), tmp_path / "work", silent)
    start, whole, half = (
        load_file(folder / "model.safetensors")
        for folder in (base.folder, *(item.weights.folder for item in tuned.candidates))
    )
    assert start.keys() == whole.keys() == half.keys()
    for name, value in start.items():
        moves = name.startswith(("encoder.layer.1", "encoder.layer.2"))
        # Softmax does not see what is added to every key, so its bias has no gradient.
        if moves and not name.endswith("key.bias"):
            assert not np.array_equal(value, whole[name]), name
        elif not moves:
            np.testing.assert_array_equal(value, whole[name])
        np.testing.assert_allclose(half[name], (value + whole[name]) / 2, atol=1e-6)


@needs_torch
def test_the_same_run_gives_the_same_weights_and_another_seed_others(tmp_path, base, examples):
    settings = replace(SETTINGS, steps=6)
    digests = [
        tune_query_encoder(base, examples, replace(settings, seed=seed), tmp_path / str(number), silent)
        .candidates[0]
        .weights.digest
        for number, seed in enumerate((7, 7, 8))
    ]
    assert digests[0] == digests[1] != digests[2]


class StoppedError(Exception):
    pass


@needs_torch
def test_an_interrupted_run_goes_on_where_it_was(tmp_path, base, examples):
    whole = tune_query_encoder(base, examples, SETTINGS, tmp_path / "whole", silent)

    def stop(stage, done, total, note=""):
        if done == 13:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", stop)
    told = []
    resumed = tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", lambda *state: told.append(state[1]))
    assert told[0] == 11
    np.testing.assert_allclose(resumed.losses, whole.losses, rtol=1e-4)
    assert resumed.candidates[0].weights.digest == whole.candidates[0].weights.digest
    assert not (tmp_path / "work" / "checkpoint").exists()


@needs_torch
def test_a_checkpoint_of_another_run_is_not_taken_up(tmp_path, base, examples):
    def stop(stage, done, total, note=""):
        if done == 13:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", stop)
    told = []
    other = replace(examples, questions=(*examples.questions[:-1], "session of the engine"))
    tune_query_encoder(
        base, other, replace(SETTINGS, steps=14), tmp_path / "work", lambda *state: told.append(state[1])
    )
    assert told[0] == 1


def of_the_script():
    rows = tuple(np.array([number % 32]) for number in range(120))
    questions = tuple(f"session {number}" for number in range(120))
    return TuningSet(questions, np.eye(32, dtype=np.float32), rows, (np.array([], dtype=np.intp),) * 120)


@needs_torch
def test_a_killed_process_loses_a_few_steps_only(tmp_path, base):
    script = tmp_path / "tune.py"
    script.write_text(
        """
import os, signal, sys
from pathlib import Path
from tests.training.test_query_side import of_the_script
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.training.query_side import TuningSettings, tune_query_encoder
def progress(stage, done, total, note=""):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
settings = TuningSettings(steps=9, batch=8, checkpoint_every=2)
tune_query_encoder(resolve_base(sys.argv[1]), of_the_script(), settings, Path(sys.argv[2]), progress)
""",
        encoding="utf-8",
    )
    arguments = [sys.executable, str(script), str(base.folder), str(tmp_path / "work")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    told = []
    settings = TuningSettings(steps=9, batch=8, checkpoint_every=2)
    tuned = tune_query_encoder(base, of_the_script(), settings, tmp_path / "work", lambda *s: told.append(s[1]))
    assert told == [5, 6, 7, 8, 9]
    assert len(tuned.losses) == tuned.steps == 9


@needs_torch
def test_a_loss_that_is_not_finite_ends_it_at_the_last_good_step(tmp_path, base, examples):
    def spoil(stage, done, total, note=""):
        if done == 12:
            examples.chunks[:] = np.nan

    tuned = tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", spoil)
    assert tuned.steps == 10
    assert tuned.stopped == "the loss was not finite at step 13"
    assert np.isfinite(
        load_file(tuned.candidates[0].weights.folder / "model.safetensors")["encoder.layer.2.output.dense.weight"]
    ).all()


@needs_torch
def test_a_loss_that_never_was_finite_is_refused(tmp_path, base, examples):
    def spoil(stage, done, total, note=""):
        examples.chunks[:] = np.nan

    with pytest.raises(RefusedError, match="not finite at step 2"):
        tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", spoil)


@needs_torch
def test_a_budget_becomes_steps_and_both_are_recorded(tmp_path, base, examples):
    settings = replace(SETTINGS, steps=None, budget_s=1e-3)
    assert tune_query_encoder(base, examples, settings, tmp_path / "short", silent).steps == 1
    settings = replace(SETTINGS, steps=None, budget_s=600, epochs=1)
    tuned = tune_query_encoder(base, examples, settings, tmp_path / "long", silent)
    assert tuned.steps == -(-len(examples.questions) // 16)
    record = json.loads((tmp_path / "long" / "tuning.json").read_text())
    assert (record["steps"], record["seed"], record["settings"]["budget_s"]) == (tuned.steps, 7, 600)
    assert record["seconds"] > 0
    assert record["base_sha256"] == base.digest
    assert record["candidates"]["1"] == tuned.candidates[0].weights.digest


@needs_torch
def test_large_corpora_are_sampled(tmp_path, base, examples):
    settings = replace(SETTINGS, compared=4)
    tuned = tune_query_encoder(base, examples, settings, tmp_path / "work", silent)
    assert np.mean(tuned.losses[-5:]) < np.mean(tuned.losses[:5])


@needs_torch
def test_ignored_chunks_say_nothing(tmp_path, base, examples):
    everything = tuple(np.setdiff1d(np.arange(len(examples.chunks)), rows) for rows in examples.relevant)
    tuned = tune_query_encoder(base, replace(examples, ignored=everything), SETTINGS, tmp_path / "work", silent)
    np.testing.assert_allclose(tuned.losses, 0, atol=1e-5)


@needs_torch
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_what_is_trained_is_what_is_exported(tmp_path, pooling, model_type):
    from jargonaut.training.query_model import QueryModel

    weights = resolve_base(str(write_tiny_encoder(tmp_path / "tiny", model_type, pooling)), query_prompt="how ")
    questions = ["session cookie", "a", "how do i set the age of it"]
    trained = QueryModel(weights, TuningSettings()).encode(questions).detach().numpy()
    exported = encoder(LocalStorage(tmp_path / "artifacts"), weights).encode_queries(questions)
    np.testing.assert_allclose((trained * exported).sum(1), 1, atol=1e-3)


def test_too_few_questions_are_refused_with_the_number_needed(tmp_path, base, examples):
    few = TuningSet(examples.questions[:9], examples.chunks, examples.relevant[:9], examples.ignored[:9])
    with pytest.raises(RefusedError, match=f"There are 9 questions to learn from; at least {MIN_QUESTIONS}"):
        tune_query_encoder(base, few, SETTINGS, tmp_path / "work", silent)


def test_without_torch_the_extra_is_named(tmp_path, base, examples, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "jargonaut.training.query_model", raising=False)
    with pytest.raises(MissingExtraError, match=r"jargonaut\[train\]"):
        tune_query_encoder(base, examples, SETTINGS, tmp_path / "work", silent)


def test_sets_that_make_no_sense_are_refused(examples):
    with pytest.raises(InputError, match="Every question"):
        replace(examples, questions=examples.questions[:-1])
    with pytest.raises(InputError, match="no relevant"):
        replace(examples, relevant=(*examples.relevant[:-1], np.array([], dtype=np.intp)))
    with pytest.raises(InputError, match="not finite"):
        replace(examples, chunks=np.full_like(examples.chunks, np.nan))


def test_importing_training_imports_no_torch():
    code = (
        "import sys, jargonaut.training.query_side, jargonaut.training.pairs, jargonaut.training.split;"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
