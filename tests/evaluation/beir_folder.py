"""A small collection in a folder, written for a test."""

import json

TOPICS = [[f"{word}{number}" for word in ("bolt", "valve", "pump")] for number in "abcdefgh"]
SHARED = "machine"


def write_beir(folder, *, bad=False):
    """Eight documents with three words each that no other has; a question is two of the words, and one is shared."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": f"d{number}", "title": topic[0], "text": f"{' '.join(topic)} {SHARED}"}
        for number, topic in enumerate(TOPICS)
    ]
    queries = [{"_id": f"q{number}", "text": f"{topic[1]} {topic[2]} {SHARED}"} for number, topic in enumerate(TOPICS)]
    lines = [json.dumps(record) for record in corpus]
    if bad:
        lines[3:3] = ["{broken", json.dumps({"title": "no id"}), json.dumps({"_id": "d0", "text": "again"})]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "queries.jsonl").write_text("".join(json.dumps(record) + "\n" for record in queries), encoding="utf-8")
    rows = {"train": range(4), "test": range(4, 8), "test_unseen": range(6, 8)}
    for split, numbers in rows.items():
        judged = "".join(f"q{number}\td{number}\t{1 + number % 2}\n" for number in numbers)
        if bad and split == "test":
            judged += "q99\td1\t1\nq5\td99\t1\nq5 d1\nq5\td2\t0\n"
        (folder / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    return folder
