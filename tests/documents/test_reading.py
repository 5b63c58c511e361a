import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import UnavailableError
from jargonaut.documents.formats import CONTAINERS, PARSERS
from jargonaut.documents.opening import Formats
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import SourceFile, scan

ROOT = Path(__file__).parents[2]
HOSTILE = Formats({**PARSERS, ".boom": "tests.documents.hostile_parsers:Hostile"}, dict(CONTAINERS))


@pytest.fixture(autouse=True)
def _tests_are_importable_in_workers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def files_in(folder, contents):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return scan(folder, extensions=HOSTILE.extensions).files


def results_of(files, limits=Limits(), workers=2, formats=HOSTILE):
    return {result.uri: result for result in read_documents(files, limits, workers, formats)}


def children_of(process_id):
    """Those that parse: servers that other tests share may be children too."""
    command = ["pgrep", "-P", str(process_id), "-f", "jargonaut.documents.worker"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_documents_come_back_whole(tmp_path):
    source = "---\ntags: [a, b]\nallow: group:hr\n---\n# 标题\n\nSee [there](b.md#c).\n\n- x\n"
    files = files_in(tmp_path, {"手册 one.md": source})
    document = results_of(files)["手册 one.md"]
    assert isinstance(document, Document)
    assert document.content_digest == digest_bytes(source.encode())
    assert document.metadata == {"tags": ("a", "b"), "allow": ("group:hr",)}
    assert document.text == "标题\n\nSee there.\n\n- x"
    assert [(block.kind, block.place.line) for block in document.blocks] == [
        ("heading", 5),
        ("paragraph", 7),
        ("list", 9),
    ]
    assert [reference.target for reference in document.references] == ["b.md#c"]


def test_one_bad_file_costs_itself_only(tmp_path):
    good = {f"good{number}.md": f"# Good {number}\n\nText." for number in range(6)}
    bad = {f"{name}.boom": name for name in ("abort", "exit", "memory", "recursion", "bug", "refuse")}
    files = files_in(tmp_path, {**good, **bad})
    results = results_of(files, Limits(memory_bytes=512 << 20))
    assert len(results) == len(good) + len(bad)
    assert all(isinstance(results[name], Document) for name in good)
    reasons = {name.removesuffix(".boom"): results[name] for name in bad}
    assert all(isinstance(item, Quarantined) and item.reason and item.hint for item in reasons.values())
    assert all(reasons[name].content_digest == digest_bytes(name.encode()) for name in reasons)
    assert f"signal {signal.SIGABRT.value}" in reasons["abort"].reason
    assert "status 3" in reasons["exit"].reason
    assert "512 MiB of memory" in reasons["memory"].reason
    assert "RecursionError" in reasons["recursion"].reason
    assert "KeyError" in reasons["bug"].reason
    assert (reasons["refuse"].reason, reasons["refuse"].hint) == ("It is not to my taste.", "Offer tea.")
    assert not children_of(os.getpid())


def test_a_parser_that_does_not_end_is_ended(tmp_path):
    files = files_in(tmp_path, {"hang.boom": "hang", "sleep.boom": "sleep"})
    results = results_of(files, Limits(time_s=1.5))
    assert all("more than 1.5 seconds" in result.reason for result in results.values())
    assert len(results) == 2
    assert not children_of(os.getpid())


def test_a_long_file_has_the_time_that_its_parts_need_and_no_more(tmp_path):
    files = files_in(tmp_path, {"long.boom": "long", "drum.boom": "drum"})
    results = results_of(files, Limits(time_s=2))
    assert results["long.boom"].text == "long"
    assert "more than 2 seconds" in results["drum.boom"].reason
    assert not children_of(os.getpid())


def test_what_a_parser_prints_does_not_disturb(tmp_path, capfd):
    files = files_in(tmp_path, {"a.boom": "noise", "b.boom": "noise"})
    assert all(isinstance(item, Document) for item in results_of(files, workers=1).values())
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_has_grown_makes_room_for_a_fresh_one(tmp_path):
    files = files_in(tmp_path, {"a.boom": "whoami", "b.boom": "grow", "c.boom": "whoami", "d.boom": "whoami"})
    results = results_of(files, Limits(memory_bytes=700 << 20), workers=1)
    first, second, third = (results[name].text for name in ("a.boom", "c.boom", "d.boom"))
    assert first != second == third


def test_binary_and_undecodable_files_are_quarantined(tmp_path):
    files = files_in(
        tmp_path,
        {
            "binary.md": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
            "pdf.md": b"%PDF-1.7 \x00\x01",
            "hopeless.md": b"\xff\x81\x80\xfe\x90\xa0 \x81 \xff" * 30,
            "empty.md": b"",
            "gb.md": "# 会话\n\n这是一个关于会话的测试，我们在这里说明它的用法。".encode("gb18030"),
        },
    )
    results = results_of(files)
    assert "binary" in results["binary.md"].reason
    assert "binary" in results["pdf.md"].reason
    assert "encoding" in results["hopeless.md"].reason
    assert results["empty.md"].text == ""
    assert results["gb.md"].title == "会话"


def test_a_huge_file_is_not_opened(tmp_path):
    with open(tmp_path / "huge.md", "wb") as file:
        file.truncate(200 << 20)
    (result,) = read_documents(scan(tmp_path).files, Limits(), 1)
    assert "200 MB" in result.reason
    assert "file_limit_mb" in result.hint


def test_a_file_that_has_grown_since_it_was_found_is_refused(tmp_path):
    (file,) = files_in(tmp_path, {"a.md": "x"})
    (tmp_path / "a.md").write_text("x" * 5000)
    (result,) = read_documents([file], Limits(size_bytes=1000), 1)
    assert "more than" in result.reason


def test_a_pipe_that_took_a_files_place_does_not_hang(tmp_path):
    (file,) = files_in(tmp_path, {"a.md": "x"})
    file.path.unlink()
    os.mkfifo(file.path)
    (result,) = read_documents([file], Limits(time_s=5), 1)
    assert "not a regular file" in result.reason


def test_a_file_that_has_gone_or_may_not_be_read_says_so(tmp_path):
    gone = SourceFile("gone.md", tmp_path / "gone.md", 1, 0)
    folder = SourceFile("folder.md", tmp_path, 1, 0)
    results = results_of([gone, folder])
    assert os.strerror(errno.ENOENT) in results["gone.md"].reason
    assert "cannot be read" in results["folder.md"].reason or "regular" in results["folder.md"].reason
    if os.getuid() != 0:
        (secret,) = files_in(tmp_path / "s", {"secret.md": "x"})
        secret.path.chmod(0)
        assert os.strerror(errno.EACCES) in results_of([secret])["secret.md"].reason


def test_files_are_taken_as_workers_become_free(tmp_path):
    files = files_in(tmp_path, {f"{number:02}.md": f"text {number}" for number in range(30)})
    taken = []

    def tracked():
        for file in files:
            taken.append(file.uri)
            yield file

    results = read_documents(tracked(), Limits(), 2)
    for done in range(1, 10):
        next(results)
        assert len(taken) <= done + 2 * 2
    results.close()
    assert not children_of(os.getpid())


def test_nothing_to_read_starts_nothing():
    assert list(read_documents([])) == []


def test_it_works_beside_threads_and_in_several_at_once(tmp_path):
    files = files_in(tmp_path, {f"{number}.md": f"text {number}" for number in range(8)})
    collected = []
    threads = [threading.Thread(target=lambda: collected.append(results_of(files, workers=1))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(item) for item in collected] == [8, 8]


def test_workers_that_cannot_start_are_an_error_not_bad_files(tmp_path, monkeypatch):
    files = files_in(tmp_path, {"a.md": "text"})
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "no-python-here"))
    with pytest.raises(UnavailableError, match="did not start"):
        list(read_documents(files, Limits(), 1))


@pytest.mark.parametrize("action", ["hang", "sleep"])
def test_no_worker_outlives_a_killed_parent(tmp_path, action):
    files_in(tmp_path / "files", {"a.boom": action})
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from jargonaut.documents.opening import Formats
        from jargonaut.documents.reading import Limits, read_documents
        from jargonaut.documents.source import scan
        files = scan(Path({str(tmp_path / "files")!r}), extensions={{".boom"}}).files
        list(read_documents(files, Limits(time_s=600), 1, {HOSTILE!r}))
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    worker = wait_for(lambda: next(iter(children_of(parent.pid)), 0))
    wait_for(lambda: cpu_seconds(worker) > 0.2 if action == "hang" else is_sleeping_in_parser(worker))
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_alive(worker))


def test_control_c_ends_the_workers(tmp_path):
    files_in(tmp_path / "files", {"a.boom": "sleep"})
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from jargonaut.documents.opening import Formats
        from jargonaut.documents.reading import Limits, read_documents
        from jargonaut.documents.source import scan
        files = scan(Path({str(tmp_path / "files")!r}), extensions={{".boom"}}).files
        try:
            list(read_documents(files, Limits(time_s=600), 1, {HOSTILE!r}))
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    worker = wait_for(lambda: next(iter(children_of(parent.pid)), 0))
    wait_for(lambda: is_sleeping_in_parser(worker))
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=20) == ("interrupted\n", "")
    assert not is_alive(worker)


def wait_for(condition, timeout_s=20.0):
    """Poll until `condition` gives something true."""
    done = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        value = condition()
        if value:
            return value
        done.wait(0.02)
    raise AssertionError("it did not happen in time")


def cpu_seconds(process_id):
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_sleeping_in_parser(process_id):
    """Waiting in `sleep` and not for a task: the test's parser is at work."""
    return "nanosleep" in Path(f"/proc/{process_id}/wchan").read_text()


def is_alive(process_id):
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
