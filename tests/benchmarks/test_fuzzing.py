"""A sample of the fuzz run, and proof that it would notice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import fuzzing
from benchmarks.fuzzing import FENCE, Tally, fuzz, spoiled
from benchmarks.mutations import ESCAPE
from benchmarks.readers import source_file
from jargonaut.core.document import Quarantined
from jargonaut.documents.opening import Formats
from jargonaut.documents.reading import read_documents

SEED = int(os.environ.get("FUZZ_SEED", "20250601"))
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the fence is a filter of Linux system calls")


@linux_only
@pytest.mark.timeout(600)
def test_a_sample_of_spoiled_files_costs_nothing_but_themselves(tmp_path):
    tally = fuzz(150, SEED, tmp_path)
    assert tally.failures == [], f"seed {SEED}"
    assert tally.files == 150
    assert tally.read > 20
    assert tally.refused > 20


def test_a_file_is_made_of_its_number_and_the_seed():
    assert spoiled(7, 3) == spoiled(7, 3)
    assert len({spoiled(number, 3)[1] for number in range(40)} | {spoiled(7, 4)[1]}) > 35


@linux_only
def test_a_run_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(fuzzing, "BATCH", 3)

    def noted(numbers, seed, folder, tally):
        seen.extend(numbers)
        fuzzing._count(Quarantined("a.md", "", "Its parser failed: KeyError: 1"), tally)

    monkeypatch.setattr(fuzzing, "_read_batch", noted)
    fuzz(5, 1, tmp_path)
    tally = fuzz(8, 1, tmp_path)
    assert (tally.files, tally.refused, tally.bugs.total()) == (8, 3, 3)
    assert seen == list(range(8))


@linux_only
def test_a_build_that_fails_and_a_file_without_a_result_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "BATCH", 2)

    def forgetful(files, limits, workers):
        yield Quarantined(files[0].uri, "", "spoiled")
        if files[0].uri.startswith("000002"):
            raise RuntimeError("over")

    monkeypatch.setattr(fuzzing, "read_documents", forgetful)
    tally = fuzz(4, 1, tmp_path)
    assert [line.partition(": ")[2][:14] for line in tally.crashed] == [
        "000001" + tally.crashed[0][14:22],
        "RuntimeError: ",
    ]
    assert tally.refused == 2


@linux_only
def test_a_worker_that_the_fence_ended_is_counted(tmp_path, monkeypatch):
    def stopped(files, limits, workers):
        for number in (31, 11):
            yield Quarantined(files[0].uri, "", f"Its parser crashed (ended by signal {number}); it may need memory.")

    monkeypatch.setattr(fuzzing, "read_documents", stopped)
    tally = fuzz(1, 1, tmp_path)
    assert (len(tally.escaped), len(tally.lost)) == (1, 1)


@linux_only
def test_a_build_that_hangs_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "_LONGEST_S", 0.2)

    def endless(files, limits, workers):
        while True:
            yield Quarantined(files[0].uri, "", "spoiled")

    monkeypatch.setattr(fuzzing, "read_documents", endless)
    assert len(fuzz(1, 1, tmp_path).hung) == 1


@linux_only
def test_files_that_appear_are_counted(tmp_path, monkeypatch):
    def writing(numbers, seed, folder, tally):
        Path("dropped").write_text("here")
        (Path(os.environ["HOME"]) / ".profile").write_text("there")
        (tmp_path.parent / f"{ESCAPE}.md").write_text("outside")

    monkeypatch.setattr(fuzzing, "_read_batch", writing)
    tally = fuzz(1, 1, tmp_path)
    assert len(tally.escaped) == 3
    (tmp_path.parent / f"{ESCAPE}.md").unlink()


@linux_only
@pytest.mark.parametrize(
    ("action", "forbidden"),
    [
        ("print(len(open('/proc/self/status').read()))", False),
        ("open('new.txt', 'w')", True),
        ("open('here.txt', 'a')", True),
        ("import os; os.open('here.txt', os.O_RDWR)", True),
        ("import os; os.unlink('here.txt')", True),
        ("import os; os.rename('here.txt', 'there.txt')", True),
        ("import os; os.mkdir('made')", True),
        ("import os; os.symlink('/etc/passwd', 'link')", True),
        ("import socket; socket.socket()", True),
        ("import socket; socket.getaddrinfo('localhost', 80)", True),
        ("import threading; threading.Thread(target=print).start()", False),
        ("import subprocess; subprocess.run(['true'])", True),
        ("import os; os.fork()", True),
        ("import os; os.execv('/bin/true', ['true'])", True),
        ("import ctypes; ctypes.CDLL(None).fopen(b'new.txt', b'w')", True),
    ],
)
def test_the_fence_stops_what_is_forbidden_and_says_where(tmp_path, action, forbidden):
    (tmp_path / "here.txt").write_text("as it was")
    log = tmp_path / "fence.log"
    environment = {**os.environ, "PYTHONPATH": str(FENCE), "FENCE_LOG": str(log), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", action], env=environment, cwd=tmp_path, capture_output=True, check=False
    )
    killed = done.returncode == -31
    assert killed == forbidden, done
    # Python starts programs deaf to signals, so that only the death tells.
    assert bool(log.read_text()) == (forbidden and "subprocess" not in action)
    assert {path.name for path in tmp_path.iterdir()} == {"here.txt", "fence.log"}
    assert (tmp_path / "here.txt").read_text() == "as it was"


def test_a_tally_without_failures_has_none():
    assert Tally(files=3, read=1, refused=2, slow=["a.md"], lost=["b.md"]).failures == []


@linux_only
def test_a_parser_that_escapes_is_ended_and_counted_and_its_neighbours_are_read(tmp_path, monkeypatch):
    parsers = {".boom": "tests.benchmarks.escaping_parsers:Escaping"}
    (tmp_path / "in").mkdir()
    files = []
    for action in ("write", "call", "start", "nothing"):
        (path := tmp_path / "in" / f"{action}.boom").write_text(action)
        files.append(source_file(path))
    tally = Tally()
    # Undone within: the fence puts the whole environment back, and what is undone later would bring the fence back.
    with fuzzing._fenced(tmp_path), monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parents[2])]))
        for result in read_documents(files, workers=1, formats=Formats(parsers=parsers)):
            fuzzing._count(result, tally)
    assert sorted(line.split(".")[0] for line in tally.escaped) == ["call", "start", "write"]
    assert (tally.read, tally.refused) == (1, 3)
