"""Every shape that people have labels in; a bad row is told with its line, and the good ones are kept."""

import json

import pytest

from jargonaut.core.errors import InputError
from jargonaut.labels.reading import read_labels


def said(read):
    return [(label.question, label.document or label.chunk or label.passage, label.grade) for label in read.labels]


def written(tmp_path, name, text, encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_json_lines_with_every_kind_of_mistake_are_read_to_the_end(tmp_path):
    rows = [
        '{"query": "How tight?", "uri": "gv-17.md", "heading": "Tightening"}',
        "{broken",
        "[1, 2]",
        '{"query": "", "uri": "a.md"}',
        '{"query": "and where?"}',
        '{"query": "graded", "uri": "a.md", "grade": "much"}',
        "",
        '{"query": "never", "uri": "a.md", "grade": NaN}',
        '{"query": "split", "uri": "a.md", "split": "holdout"}',
        '{"question": "轴承\u2028间隙多大？", "文档": "手册.md", "相关度": "是", "split": "test"}',
    ]
    read = read_labels(written(tmp_path, "labels.jsonl", "\n".join(rows)))
    assert said(read) == [("How tight?", "gv-17.md", 1.0), ("轴承 间隙多大？", "手册.md", 1.0)]
    assert read.labels[0].heading == "Tightening"
    assert (read.labels[1].line, read.labels[1].split) == (10, "test")
    assert [problem.line for problem in read.problems] == [2, 3, 4, 5, 6, 8, 9]
    assert read.rows == 9
    assert "not JSON" in str(read.problems[0])
    assert "`much` is not a grade" in str(read.problems[4])


def test_a_list_of_objects_is_read_with_lines(tmp_path):
    text = '[\n {"query": "a", "document": "x"},\n 3,\n {"query": "b", "document": "y", "grade": 2}\n]'
    read = read_labels(written(tmp_path, "labels.json", text))
    assert said(read) == [("a", "x", 1.0), ("b", "y", 2.0)]
    assert [(problem.line, problem.what) for problem in read.problems] == [(3, "a JSON int, not an object.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_tables_as_spreadsheets_write_them(tmp_path, encoding):
    rows = (
        "问题;文档;等级;备注",
        '"轴承间隙;多少毫米？";手册/轴承.md;2;x',
        "怎样换密封圈？;手册/泵.md;0;",
        ";手册/泵.md;1;",
    )
    text = "\n".join(rows)
    read = read_labels(written(tmp_path, "标注.csv", text, encoding))
    assert said(read) == [("轴承间隙;多少毫米？", "手册/轴承.md", 2.0), ("怎样换密封圈？", "手册/泵.md", 0.0)]
    assert [problem.line for problem in read.problems] == [4]
    assert "备注" in read.notes[0]


def test_lines_are_counted_through_cells_of_several_lines(tmp_path):
    text = 'query,document\n"two\nlines",a.md\nx,y,z\n,b.md\n'
    read = read_labels(written(tmp_path, "labels.csv", text))
    assert said(read) == [("two lines", "a.md", 1.0)]
    assert [(problem.line, problem.what) for problem in read.problems] == [
        (4, "3 cells under 2 columns."),
        (5, "no question."),
    ]


def test_questions_and_answers(tmp_path):
    text = "question\tanswer\nHow tight?\tForty newton metres.\nHow?\t\n"
    read = read_labels(written(tmp_path, "faq.tsv", text))
    assert read.shape == "answers"
    assert read.labels[0].passage == "Forty newton metres."
    assert [problem.line for problem in read.problems] == [3]


@pytest.mark.parametrize(
    ("ratings", "grades"), [(["up", "down", "👎"], [1, 0, 0]), ([5, 3, 1], [2, 0, 0]), ([1, -1, 0], [1, 0, 0])]
)
def test_feedback_in_thumbs_and_stars(tmp_path, ratings, grades):
    rows = [json.dumps({"query": f"q{n}", "document": "a.md", "rating": rating}) for n, rating in enumerate(ratings)]
    read = read_labels(written(tmp_path, "feedback.jsonl", "\n".join([*rows, '{"query": "q", "document": "a.md"}'])))
    assert read.shape == "feedback"
    assert [label.grade for label in read.labels] == grades
    assert [problem.what for problem in read.problems] == ["no rating."]


def beir(tmp_path, **qrels):
    (tmp_path / "qrels").mkdir(exist_ok=True)
    corpus = [{"_id": f"d{n}", "title": "", "text": f"text of document {n}"} for n in range(3)]
    queries = [{"_id": f"q{n}", "text": f"question {n}"} for n in range(3)]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for split, rows in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in rows)]
        (tmp_path / "qrels" / f"{split}.tsv").write_text("\n".join(lines))
    return tmp_path


def test_a_beir_folder_with_its_splits(tmp_path):
    folder = beir(
        tmp_path,
        train=[("q0", "d0", 1), ("q1", "d1", 1), ("q9", "d1", 1), ("q0", "d7", 1)],
        test=[("q1", "d2", 2), ("q2", "d1", "x"), ("q2", "d2", 0)],
    )
    read = read_labels(folder)
    assert read.shape == "beir"
    assert [(label.question, label.document, label.grade, label.split) for label in read.labels] == [
        ("question 0", "d0", 1, "train"),
        ("question 1", "d2", 2, "test"),
        ("question 2", "d2", 0, "test"),
    ]
    assert read.labels[0].passage == "text of document 0"
    assert [(problem.file[-9:], problem.line) for problem in read.problems] == [
        ("train.tsv", 4), ("train.tsv", 5), (r"/test.tsv", 3),
    ]  # fmt: skip
    assert "1 questions are in several splits" in read.notes[0]
    assert [label.split for label in read_labels(folder / "qrels" / "train.tsv").labels] == ["train", "train"]


def test_what_cannot_be_told_or_read_is_an_error(tmp_path):
    for name, text, message in (
        ("a.csv", "colour,size\nred,3\n", "colour, size"),
        ("a.jsonl", "  \n", "is empty"),
        ("a.docx", "x", "not read from `.docx`"),
    ):
        with pytest.raises(InputError, match=message):
            read_labels(written(tmp_path, name, text))
    with pytest.raises(InputError, match="no file of labels"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(InputError, match="not one as BEIR"):
        read_labels(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_labels((tmp_path / "b.csv").write_bytes(b"\x89PNG\x00\x01\x02" * 50) and tmp_path / "b.csv")
    with pytest.raises(InputError, match="no shape `odd`"):
        read_labels(written(tmp_path, "c.csv", "query,document\na,b\n"), "odd")
