"""Full tuning on labelled sets: what it gains, beside sentence-transformers; how fast it trains and encodes.

python -m benchmarks.tuning labels --set stackunix    tuned over base, on queries whose documents training never saw
python -m benchmarks.tuning throughput                steps a second beside sentence-transformers' defaults
python -m benchmarks.tuning encoding                  documents a second beside sentence-transformers
python -m benchmarks.tuning memory                    peak memory at 10,000 and 100,000 chunks

Everything that takes long is kept under benchmarks/.cache/tuning and taken up from there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row, write
from jargonaut.core.document import Chunk, Place, document_id
from jargonaut.core.release import Fusion
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.lance import LanceIndex
from jargonaut.index.port import DocumentRows, IndexedDocument, Snapshot, TableKey
from jargonaut.proof.intervals import bootstrap_interval
from jargonaut.ranking.fit import CONTEXTUAL_WEIGHT
from jargonaut.storage.local import LocalStorage
from jargonaut.training.contrastive import FullTuningSettings, tune_encoder
from jargonaut.training.examples import Answer, Example, Passage, TrainingSet, training_set
from jargonaut.training.negatives import mined

TOPIC = "tuning"
BASE = "sentence-transformers/all-MiniLM-L6-v2"
CACHE = Path(__file__).parent / ".cache" / "tuning"
SHARED = Path(os.environ.get("JARGONAUT_SHARED", Path(__file__).resolve().parents[2] / "shared"))
_BATCH = 512


class LabelledSet:
    """A BEIR folder, one chunk a document, cut to what the encoder reads."""

    def __init__(self, name: str) -> None:
        self.name = name
        folder = SHARED / "datasets" / name
        self.texts = {
            item["_id"]: f"{item.get('title') or ''}\n{item['text']}".strip()
            for item in _lines(folder / "corpus.jsonl")
        }
        self.questions = {item["_id"]: item["text"] for item in _lines(folder / "queries.jsonl")}
        self.qrels = {split: _qrels(folder / "qrels" / f"{split}.tsv") for split in ("train", "test", "test_unseen")}
        self.cache = CACHE / name

    @property
    def kept_away(self) -> set[str]:
        """Documents that a judged query is about: training does not read them."""
        return {document for found in self.qrels["test"].values() for document in found}

    def training(self, encoder: OpenVinoEncoder, snapshot: Snapshot) -> TrainingSet:
        """The labels of the training split, with hard negatives from the fused baseline."""
        away, texts = self.kept_away, self.cut_texts(encoder)
        chunks = {document: _chunk(document, text) for document, text in texts.items() if document not in away}
        examples = [
            Example(self.questions[query], answers)
            for query, found in self.qrels["train"].items()
            if (answers := tuple(Answer(texts[d], float(g), d) for d, g in found.items() if d not in away))
        ]
        corpus = [Passage(chunk.id, chunk.text, document) for document, chunk in chunks.items()]
        examples_ = training_set(examples, corpus)
        reader = asyncio.run(LanceIndex(self.cache / "index").open_reader(snapshot))
        ranking = Fusion(CONTEXTUAL_WEIGHT), None
        return asyncio.run(mined(examples_, reader, encoder, ranking, told("mining")))

    @cache  # noqa: B019 lives as long as the process
    def cut_texts(self, encoder: OpenVinoEncoder) -> dict[str, str]:
        most = encoder.text_tokens
        found = {}
        for document, text in self.texts.items():
            spans = encoder.token_spans(text) if len(text) > most else []
            found[document] = text[: spans[most - 3][1]] if len(spans) > most - 2 else text
        return found

    def index(self, encoder: OpenVinoEncoder) -> Snapshot:
        """The base's vectors of the corpus, in a table; what is there already stays."""
        vectors = self.vectors(encoder, "base")
        key = TableKey(
            "bench", self.name.replace("_", "-"), encoder.card.space, encoder.card.dimensions, "one", ANALYSIS
        )
        writer = LanceIndex(self.cache / "index").new_writer(key)
        held = writer.documents()
        rows = [
            DocumentRows(IndexedDocument(document, "d", ("public",)), (_chunk(document, text),), vectors[at : at + 1])
            for at, (document, text) in enumerate(self.cut_texts(encoder).items())
            if document not in held
        ]
        for start in range(0, len(rows), 4096):
            writer.replace(rows[start : start + 4096])
        return writer.snapshot()

    def vectors(self, encoder: OpenVinoEncoder, name: str) -> np.ndarray:
        """Of all documents, shape (documents, dimensions); kept in parts, so that a killed run goes on."""
        folder = self.cache / f"vectors-{name}-{encoder.card.id[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        texts, parts = list(self.cut_texts(encoder).values()), []
        for start in range(0, len(texts), _BATCH):
            path = folder / f"{start}.npy"
            if not path.is_file():
                partial = path.with_suffix(".partial.npy")
                np.save(partial, encoder.encode_documents(texts[start : start + _BATCH]).astype(np.float16))
                partial.replace(path)
                print(f"{self.name}: {name} {start} of {len(texts)}", flush=True)
            parts.append(np.load(path).astype(np.float32))
        return np.concatenate(parts)

    def gains(self, encoder: OpenVinoEncoder, name: str, split: str = "test_unseen") -> np.ndarray:
        """NDCG@10 of every query of a split, by dense search over the whole corpus, exact."""
        vectors, documents = self.vectors(encoder, name), list(self.texts)
        judged = self.qrels[split]
        asked = encoder.encode_queries([self.questions[query] for query in judged])
        return np.array(
            [
                ndcg([documents[at] for at in np.argsort(-(vector @ vectors.T), kind="stable")[:10]], found)
                for vector, found in zip(asked, judged.values(), strict=True)
            ]
        )


def ndcg(ranked: Sequence[str], relevant: dict[str, int]) -> float:
    """NDCG@10 with gains 2^grade - 1."""
    got = sum((2 ** relevant.get(d, 0) - 1) / np.log2(at + 2) for at, d in enumerate(ranked[:10]))
    ideal = sorted((2**grade - 1 for grade in relevant.values()), reverse=True)[:10]
    return float(got / sum(value / np.log2(at + 2) for at, value in enumerate(ideal)))


def encoder_of(weights: BaseWeights, precision: str = "") -> OpenVinoEncoder:
    storage = LocalStorage(CACHE / "encoders")
    stored = load_encoder(storage, save_encoder(storage, weights).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path, precision)


def labels(name: str, settings: FullTuningSettings, variant: str) -> None:
    """Tune on the training split, and compare with the base on the unseen queries."""
    data, base = LabelledSet(name), resolve_base(BASE)
    untuned = encoder_of(base)
    examples = data.training(untuned, data.index(untuned))
    print(f"{name}: {len(examples.questions)} questions, {np.mean([len(h) for h in examples.hard]):.1f} hard negatives")
    started = time.time()
    tuned = tune_encoder(base, examples, settings, data.cache / f"tuned-{variant}", told("tune"))
    print(
        f"{tuned.steps} steps, {tuned.seconds:.0f} s ({time.time() - started:.0f}), {tuned.scores}, {tuned.base_score}"
    )
    before = data.gains(untuned, "base")
    best = tuned.candidates[0]
    after = data.gains(encoder_of(best.weights), f"{variant}-{best.share:g}")
    interval = bootstrap_interval((after - before) * 100, np.arange(len(after)), seed=0)
    print(f"{name} {variant}: {before.mean():.4f} -> {after.mean():.4f}: {interval}")
    what = f"labels: nDCG@10 x 100 of the tuned encoder over the base on unseen queries, {name}"
    what += (
        f" ({tuned.steps} steps, {tuned.seconds:.0f} s, seed {tuned.seed})" if variant == "default" else f" {variant}"
    )
    said = f"base, dense; 95 % interval of the gain [{interval.low:.1f}, {interval.high:.1f}]"
    peer = said, 100 * float(before.mean())
    command = f"python -m benchmarks.tuning labels --set {name}"
    write(TOPIC, [row(what, float(interval.mean), "points", ">= 6", command, peer)])


def throughput(batch: int = 32, steps: int = 3) -> None:
    """Steps of both, taken in turns on the same batches; by the processor's time, since machines are shared."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from jargonaut.training.batches import Batches
    from jargonaut.training.contrastive_model import ContrastiveModel
    from jargonaut.training.precision import best_precision

    base, data = resolve_base(BASE), LabelledSet("insuranceqa_en")
    pairs = [(data.questions[q], data.texts[next(iter(found))]) for q, found in data.qrels["train"].items()]
    examples = training_set(Example(question, (Answer(text),)) for question, text in pairs[: batch * steps * 4])
    batches = Batches(examples, np.arange(len(examples.questions)), batch, 0, 0, 7)
    settings = FullTuningSettings(batch=batch, hard=0, symmetric=False, question_tokens=256)
    ours = ContrastiveModel(base, settings, best_precision())
    theirs = SentenceTransformer(str(base.folder), device="cpu")
    theirs.train()
    loss = MultipleNegativesRankingLoss(theirs)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=5e-5, fused=True)

    def our_step(step: int) -> None:
        drawn = batches.batch(step)
        questions = ours.text.questions([examples.questions[q] for q in drawn.questions], 256)
        ours.gradient(questions, ours.text.passages([examples.passages[p] for p in drawn.passages], 256), drawn)
        ours.step(5e-5)

    def their_step(step: int) -> None:
        drawn = batches.batch(step)
        columns = (
            [examples.questions[q] for q in drawn.questions],
            [examples.passages[drawn.passages[column]] for column in drawn.answer],
        )
        loss([theirs.preprocess(column) for column in columns], None).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    for step in range(steps + 1):
        for name, take in (("ours", our_step), ("theirs", their_step)):
            started = time.process_time()
            take(step)
            if step:  # the first one prepares kernels
                spent[name].append(time.process_time() - started)
    ratio = sum(spent["theirs"]) / sum(spent["ours"])
    print(spent, ratio)
    what = f"training throughput over sentence-transformers' defaults, batch {batch}, forum answers, processor time"
    peer = "sentence-transformers MNRL, s of processor time a step", float(np.mean(spent["theirs"]))
    write(TOPIC, [row(what, ratio, "x", ">= 1.5", "python -m benchmarks.tuning throughput", peer)])


def encoding(texts: int = 128, rounds: int = 3) -> None:
    """Encoding the same answers with both, in turns; by the processor's time."""
    from sentence_transformers import SentenceTransformer

    base = resolve_base(BASE)
    ours, theirs = encoder_of(base), SentenceTransformer(str(base.folder), device="cpu")
    data = LabelledSet("insuranceqa_en")
    chance = np.random.default_rng(0)
    sample = [list(data.texts.values())[at] for at in chance.permutation(len(data.texts))[: texts * 2]]
    sample = [text for text in sample if len(ours.token_spans(text)) <= ours.text_tokens - 2][:texts]
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(rounds + 1):
        started = time.process_time()
        mine = ours.encode_documents(sample)
        between = time.process_time()
        other = theirs.encode(sample, normalize_embeddings=True)
        if turn:
            spent["ours"].append(between - started)
            spent["theirs"].append(time.process_time() - between)
    agreement = float((mine * other).sum(axis=1).mean())
    ratio = sum(spent["theirs"]) / sum(spent["ours"])
    print(spent, ratio, agreement)
    what = f"encoding with the release's encoder ({ours.precision}) over sentence-transformers fp32, processor time"
    peer = (
        f"sentence-transformers, texts a s of processor time; mean cosine {agreement:.5f}",
        texts * rounds / sum(spent["theirs"]),
    )
    write(TOPIC, [row(what, ratio, "x", ">= 3", "python -m benchmarks.tuning encoding", peer)])


def memory() -> None:
    """Peak memory of mining and training at 10,000 and 100,000 chunks, less that of holding the data."""
    peaks = {}
    for chunks in (10_000, 100_000):
        command = [sys.executable, "-m", "benchmarks.tuning", "memory-of", "--set", str(chunks)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks[chunks] = json.loads(said.splitlines()[-1])
        print(chunks, peaks[chunks])
    small, large = (peaks[chunks]["peak"] - peaks[chunks]["data"] for chunks in (10_000, 100_000))
    what = "memory of mining and training beyond the data itself, 100,000 chunks over 10,000"
    peer = "MiB beyond the data at 10,000 chunks", small
    write(TOPIC, [row(what, large / small, "x", "<= 1.2", "python -m benchmarks.tuning memory", peer)])


def memory_of(chunks: int) -> None:
    """One size, in a process of its own: the real mining and training, over made-up texts and a small encoder."""
    import resource

    from jargonaut.training.negatives import Ranked, with_negatives
    from tests.encoding.tiny_encoders import WORDS, write_tiny_encoder

    def now(peak: bool) -> float:
        if peak:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    import torch  # noqa: F401 what loading it takes is no part of this

    random = np.random.default_rng(0)
    texts = [" ".join([*random.choice(WORDS, 20), str(number)]) for number in range(chunks)]
    corpus = [Passage(str(number), text, str(number)) for number, text in enumerate(texts)]
    asked = range(0, chunks, 10)
    examples = training_set((Example(f"q {number}", (Answer(texts[number]),)) for number in asked), corpus)
    vectors = random.normal(size=(len(asked), 384)).astype(np.float32)
    data = now(peak=False)

    def ranked() -> Any:
        for number in asked:
            rows = np.unique(np.append(random.integers(0, chunks, 150), number)).astype(np.intp)
            cosine = random.random(len(rows)).astype(np.float32)
            yield Ranked(rows, cosine, cosine)

    mined_set = with_negatives(examples, ranked(), vectors)
    folder = CACHE / f"memory-{chunks}"
    base = resolve_base(str(write_tiny_encoder(folder / "tiny")))
    settings = FullTuningSettings(steps=20, development=0.0, precision="fp32")
    tune_encoder(base, mined_set, settings, folder / f"work-{time.time_ns()}", lambda *_: None)
    print(json.dumps({"data": data, "peak": now(peak=True)}))


def told(stage: str, every_s: float = 15.0) -> Callable[..., None]:
    last = [0.0]

    def progress(_: str, done: int, total: int, note: str = "") -> None:
        if time.monotonic() - last[0] > every_s or done == total:
            last[0] = time.monotonic()
            print(f"{time.strftime('%H:%M:%S')} {stage}: {done} of {total} {note}", flush=True)

    return progress


def _chunk(document: str, text: str) -> Chunk:
    return Chunk(document_id(document), document, "", (), text, 0, len(text), 0, "paragraph", Place(), "one")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            found.setdefault(query, {})[document] = int(grade)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("labels", "throughput", "encoding", "memory", "memory-of"))
    parser.add_argument("--set", default="stackunix", help="of labels; with memory-of, the number of chunks")
    parser.add_argument("--variant", default="default")
    parser.add_argument("--settings", default="{}", help="JSON of settings that differ from the default")
    chosen = parser.parse_args()
    settings = replace(FullTuningSettings(budget_s=3600), **json.loads(chosen.settings))
    if chosen.part == "labels":
        labels(chosen.set, settings, chosen.variant)
    elif chosen.part == "memory-of":
        memory_of(int(chosen.set))
    else:
        {"throughput": throughput, "encoding": encoding, "memory": memory}[chosen.part]()


if __name__ == "__main__":
    main()
