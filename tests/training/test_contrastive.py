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
from jargonaut.training.contrastive import MIN_QUESTIONS, FullTuningSettings, tune_encoder
from jargonaut.training.examples import Answer, Example, Listed, training_set
from tests.encoding.tiny_encoders import WORDS, write_tiny_encoder

needs_torch = pytest.mark.usefixtures("torch")
SETTINGS = FullTuningSettings(
    steps=12, batch=16, learning_rate=5e-3, development=0.0, checkpoint_every=5, threads=1, precision="fp32"
)


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("transformers", reason="the extra `train` is not installed")
    library = pytest.importorskip("torch", reason="the extra `train` is not installed")
    library.set_num_threads(1)
    return library


@pytest.fixture
def base(tmp_path):
    return resolve_base(str(write_tiny_encoder(tmp_path / "tiny")))


def pairs():
    """A question of two words is answered by the passage that says them the other way round, twice."""
    asked = [(first, second) for first in WORDS for second in WORDS if first != second]
    return training_set(Example(f"{a} {b}", (Answer(f"{b} {a} {a} {b}"),)) for a, b in asked)


def stored(tuned):
    return load_file(tuned.candidates[0].weights.folder / "model.safetensors")


def encoder(storage, weights):
    found = load_encoder(storage, save_encoder(storage, weights).id)
    return OpenVinoEncoder(found.card, found.model_path, found.tokenizer_path, "f32")


@needs_torch
def test_both_sides_learn_and_the_result_is_a_space_of_its_own(tmp_path, base):
    examples, told = pairs(), []
    settings = replace(SETTINGS, steps=60, development=0.2)
    tuned = tune_encoder(base, examples, settings, tmp_path / "work", lambda *state: told.append(state))
    assert max(tuned.scores) > tuned.base_score + 0.1
    assert np.mean(tuned.losses[-5:]) < 0.6 * np.mean(tuned.losses[:5])
    assert "development" in told[-1][3]
    storage = LocalStorage(tmp_path / "artifacts")

    def hits(weights):
        by = encoder(storage, weights)
        best = (by.encode_queries(examples.questions) @ by.encode_documents(examples.passages).T).argmax(axis=1)
        return np.mean([row in right for row, right in zip(best, examples.relevant, strict=True)])

    assert hits(tuned.candidates[0].weights) > hits(base) + 0.1
    assert tuned.candidates[0].weights.space != base.space


@needs_torch
def test_the_best_share_on_the_development_slice_comes_first(tmp_path, base):
    tuned = tune_encoder(
        base, pairs(), replace(SETTINGS, development=0.2, shares=(0.0, 1.0)), tmp_path / "work", silent
    )
    assert tuned.scores[0] >= tuned.scores[1]
    by_share = dict(zip([item.share for item in tuned.candidates], tuned.scores, strict=True))
    assert by_share[0.0] == pytest.approx(tuned.base_score)


@needs_torch
def test_a_learning_rate_that_harms_is_stopped_early_and_the_best_weights_are_kept(tmp_path, base):
    settings = replace(SETTINGS, steps=200, learning_rate=3.0, development=0.3, judgements=50)
    tuned = tune_encoder(base, pairs(), settings, tmp_path / "work", silent)
    assert tuned.steps < 200
    assert "no gain on the development slice" in tuned.stopped or "not finite" in tuned.stopped


@needs_torch
def test_passes_of_like_length_give_the_vectors_and_gradients_of_one_padded_pass(base, torch):
    from jargonaut.training.network import TextNetwork
    from jargonaut.training.precision import Precision

    texts = [" ".join(WORDS[: 1 + number % 14]) for number in range(40)]
    network = TextNetwork(base, Precision("cpu", "fp32"), 0, False)
    tokens = network.passages(texts, 30)
    gradients = []
    for vectors in (network.encode(tokens, 64), network.encode_padded(tokens)):
        (vectors * torch.linspace(-1, 1, vectors.numel()).reshape(vectors.shape)).sum().backward()
        gradients.append(
            {name: value.grad.clone() for name, value in network.trained.items() if value.grad is not None}
        )
        gradients.append(vectors.detach())
        network.network.zero_grad()
    torch.testing.assert_close(gradients[1], gradients[3], atol=1e-5, rtol=1e-4)
    for name, value in gradients[0].items():
        torch.testing.assert_close(value, gradients[2][name], atol=1e-3, rtol=1e-3)


@needs_torch
def test_a_batch_in_parts_has_the_gradients_of_the_whole(tmp_path, base, torch):
    """Memory is bounded by computing a batch twice; what is learned stays the same."""
    from jargonaut.training.batches import Batches
    from jargonaut.training.contrastive_model import ContrastiveModel
    from jargonaut.training.precision import Precision

    examples = pairs()
    batch = Batches(examples, np.arange(len(examples.questions)), 32, 0, 0, 7).batch(0)
    found = []
    for most in (10_000, 40):
        model = ContrastiveModel(base, SETTINGS, Precision("cpu", "fp32"))
        model.graph_tokens = most
        questions = model.text.questions([examples.questions[row] for row in batch.questions], 30)
        loss = model.gradient(questions, model.text.passages([examples.passages[r] for r in batch.passages], 30), batch)
        found.append((loss, [value.grad for value in model.text.trained.values() if value.grad is not None]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for whole, parts in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(whole, parts, atol=1e-4, rtol=1e-3)


@needs_torch
def test_out_of_memory_halves_the_passes_and_ends_in_a_clear_error(base, monkeypatch):
    from jargonaut.training.batches import Batches
    from jargonaut.training.contrastive_model import ContrastiveModel
    from jargonaut.training.precision import Precision

    examples = pairs()
    model = ContrastiveModel(base, SETTINGS, Precision("cpu", "fp32"))
    batch = Batches(examples, np.arange(len(examples.questions)), 16, 0, 0, 7).batch(0)
    questions = model.text.questions([examples.questions[row] for row in batch.questions], 30)
    passages = model.text.passages([examples.passages[row] for row in batch.passages], 30)
    expected = model.gradient(questions, passages, batch)
    room, encode = [100], model.text.encode_padded

    def as_much_as_there_is(tokens):
        if len(tokens) * max(len(ids) for ids in tokens) > room[0]:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
            )
        return encode(tokens)

    monkeypatch.setattr(model.text, "encode_padded", as_much_as_there_is)
    assert model.gradient(questions, passages, batch) == pytest.approx(expected, rel=1e-5)
    assert model.graph_tokens <= 100
    room[0] = 2
    with pytest.raises(RefusedError, match="Memory is not enough"):
        model.gradient(questions, passages, batch)


SCRIPT = """
import os, signal, sys
from pathlib import Path
from tests.training.test_contrastive import SETTINGS, pairs
from dataclasses import replace
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.training.contrastive import tune_encoder
def progress(stage, done, total, note=""):
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
tune_encoder(resolve_base(sys.argv[1]), pairs(), replace(SETTINGS, development=.2), Path(sys.argv[2]), progress)
"""


@needs_torch
def test_a_killed_process_goes_on_to_the_very_same_weights(tmp_path, base):
    (tmp_path / "tune.py").write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    arguments = [sys.executable, str(tmp_path / "tune.py"), str(base.folder), str(tmp_path / "work"), "8"]
    killed = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    settings, told = replace(SETTINGS, development=0.2), []
    resumed = tune_encoder(base, pairs(), settings, tmp_path / "work", lambda *state: told.append(state[1]))
    whole = tune_encoder(base, pairs(), settings, tmp_path / "whole", silent)
    assert told[0] == 6
    assert resumed.losses == whole.losses
    assert [item.weights.digest for item in resumed.candidates] == [item.weights.digest for item in whole.candidates]


class StoppedError(Exception):
    pass


@needs_torch
@pytest.mark.parametrize("left", [0, 100, 5000])
def test_a_truncated_checkpoint_is_not_taken_up(tmp_path, base, left):
    def stop(stage, done, total, note=""):
        if done == 8:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune_encoder(base, pairs(), SETTINGS, tmp_path / "work", stop)
    path = tmp_path / "work" / "checkpoint" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    told = []
    tuned = tune_encoder(base, pairs(), SETTINGS, tmp_path / "work", lambda *state: told.append(state[1]))
    assert told[0] == 1
    assert tuned.steps == SETTINGS.steps


@needs_torch
def test_a_budget_becomes_steps_which_repeat_the_run(tmp_path, base):
    settings = replace(SETTINGS, steps=None, budget_s=600, epochs=1)
    first = tune_encoder(base, pairs(), settings, tmp_path / "first", silent)
    record = json.loads((tmp_path / "first" / "tuning.json").read_text())
    assert record["steps"] == first.steps == len(pairs().questions) // 16
    assert (record["threads"], record["precision"], record["device"]) == (1, "fp32", "cpu")
    again = tune_encoder(base, pairs(), replace(settings, steps=record["steps"]), tmp_path / "again", silent)
    assert again.candidates[0].weights.digest == first.candidates[0].weights.digest
    other = tune_encoder(base, pairs(), replace(settings, steps=record["steps"], seed=8), tmp_path / "other", silent)
    assert other.candidates[0].weights.digest != first.candidates[0].weights.digest


@needs_torch
def test_a_loss_that_is_not_finite_keeps_the_last_good_weights(tmp_path, base):
    settings = replace(SETTINGS, steps=60, learning_rate=1e30)
    with pytest.raises(RefusedError, match="not finite"):
        tune_encoder(base, pairs(), settings, tmp_path / "work", silent)
    spoiled = replace(SETTINGS, checkpoint_every=2)
    examples = pairs()

    def spoil(stage, done, total, note=""):
        if done == 7:
            for scores in (listed.scores for listed in examples.teacher):
                scores[:] = np.inf

    taught = replace(
        examples,
        teacher=tuple(
            Listed(np.arange(20), np.linspace(1, 0, 20, dtype=np.float32)) for _ in range(len(examples.questions))
        ),
    )
    examples = taught
    tuned = tune_encoder(base, taught, replace(spoiled, distillation=1.0), tmp_path / "spoiled", spoil)
    assert tuned.stopped == "the loss was not finite at step 8"
    assert tuned.steps == 6
    assert all(np.isfinite(value).all() for value in stored(tuned).values())


@needs_torch
def test_cut_vectors_and_a_teacher_change_what_is_learned(tmp_path, base):
    examples = pairs()
    taught = replace(
        examples,
        teacher=tuple(Listed(np.arange(20), np.zeros(20, dtype=np.float32)) for _ in range(len(examples.questions))),
    )
    runs = (
        (examples, SETTINGS),
        (examples, replace(SETTINGS, matryoshka=(8,))),
        (taught, replace(SETTINGS, distillation=1.0)),
        (examples, replace(SETTINGS, symmetric=False)),
    )
    digests = {
        tune_encoder(base, given, replace(settings, steps=3), tmp_path / str(number), silent)
        .candidates[0]
        .weights.digest
        for number, (given, settings) in enumerate(runs)
    }
    assert len(digests) == len(runs)


@needs_torch
def test_frozen_parts_stay_as_they_are(tmp_path, base):
    tuned = tune_encoder(base, pairs(), replace(SETTINGS, steps=2, frozen_layers=1), tmp_path / "work", silent)
    before, after = load_file(base.folder / "model.safetensors"), stored(tuned)
    for name, value in before.items():
        if name.startswith(("embeddings", "encoder.layer.0")):
            np.testing.assert_array_equal(value, after[name])
    assert not np.array_equal(
        before["encoder.layer.2.output.dense.weight"], after["encoder.layer.2.output.dense.weight"]
    )
    with pytest.raises(InputError, match="every layer is frozen"):
        tune_encoder(base, pairs(), replace(SETTINGS, frozen_layers=3), tmp_path / "none", silent)


@needs_torch
def test_a_precision_that_the_machine_has_not_is_refused(tmp_path, base):
    with pytest.raises(InputError, match="does not train in `fp8`"):
        tune_encoder(base, pairs(), replace(SETTINGS, precision="fp8"), tmp_path / "work", silent)


def test_too_few_questions_are_refused_with_the_number_needed(tmp_path, base):
    few = training_set([Example("a question", (Answer("an answer"),))])
    with pytest.raises(RefusedError, match=f"There are 1 questions to learn from; at least {MIN_QUESTIONS}"):
        tune_encoder(base, few, SETTINGS, tmp_path / "work", silent)


def test_without_torch_the_extra_is_named(tmp_path, base, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"jargonaut\[train\]"):
        tune_encoder(base, pairs(), SETTINGS, tmp_path / "work", silent)


def test_importing_training_imports_no_torch():
    modules = "contrastive, jargonaut.training.negatives, jargonaut.training.batches, jargonaut.training.precision"
    code = f"import sys, jargonaut.training.{modules}; sys.exit(bool({{'torch', 'transformers'}} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
