"""What holds for the project as a whole: sizes, imports, pins, and what is shipped."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "jargonaut"
MODULES = sorted(SOURCE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
LONGEST = 400

VENDORS = {
    *("docutils", "elasticsearch", "fastapi", "httpx", "lancedb", "markdown_it", "numpy", "onnx", "opensearchpy"),
    *("openvino", "pyarrow", "pydantic", "pypdfium2", "safetensors", "selectolax", "sentence_transformers"),
    *("tokenizers", "torch", "transformers", "uvicorn", "watchfiles", "yaml"),
}


def project_files() -> list[Path]:
    """Files of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout, so that nothing says which files belong to the project")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_modules_are_small() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in [*MODULES, *ROOT.glob("worker/src/**/*.ts")]}
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > LONGEST} == {}


def test_no_file_names_registries_machines_or_unfinished_work() -> None:
    # Put together here, so that this file does not hold what it looks for.
    hosts = [
        ".".join(parts)
        for parts in (
            ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("npmmirror", "com"), ("crates", "io"),
            ("proxy", "golang"), ("repo1", "maven"), ("deb", "debian"),
        )
    ]  # fmt: skip
    places = ["/" + part for part in ("work/main", "work/shared", "tmp/bash", "root/")]
    unfinished = ["TO" + "DO", "FIX" + "ME", "X" * 3 + ":", "NotImplemented" + "Error"]
    wrong = re.compile("|".join(map(re.escape, [*hosts, *places, *unfinished])))
    found = []
    for path in project_files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            lines = data.decode("utf-8", "replace").splitlines()
            found += [
                f"{path.relative_to(ROOT)}:{n}: {m[0]}" for n, line in enumerate(lines, 1) if (m := wrong.search(line))
            ]
    assert found == []


def test_every_package_and_module_says_what_it_is() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_names_say_what_is_inside() -> None:
    vague = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
    assert [path for path in MODULES if vague & {path.stem, *path.relative_to(SOURCE).parent.parts}] == []


def imports_of(path: Path) -> Iterator[str]:
    """Top-level names of all packages that a module imports, lazily or not."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_everything_imported_is_declared() -> None:
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    declared = {canonicalize_name(Requirement(line).name) for line in [*PROJECT["dependencies"], *extras]}
    distributions = packages_distributions()
    missing = {
        (str(path.relative_to(SOURCE)), name)
        for path in MODULES
        for name in imports_of(path)
        if name not in sys.stdlib_module_names
        and name != "jargonaut"
        and not declared & {canonicalize_name(found) for found in distributions.get(name, [name])}
    }
    assert missing == set()


def test_torch_is_imported_in_training_only() -> None:
    heavy = {"torch", "sentence_transformers", "transformers"}
    assert {path.relative_to(SOURCE).parts[0] for path in MODULES if heavy & set(imports_of(path))} <= {"training"}


def modules_after(program: str) -> set[str]:
    """Top-level packages that are imported in a fresh process after `program`."""
    shown = "import sys; print('\\n'.join(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{shown}"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stderr.split())


def test_importing_the_package_imports_no_vendor() -> None:
    assert modules_after("import jargonaut").isdisjoint(VENDORS)


def test_help_imports_no_vendor() -> None:
    program = "import sys; sys.argv = ['jargonaut', '--help']\nfrom jargonaut.cli import main\n"
    program += "try: main()\nexcept SystemExit as end: assert not end.code"
    assert modules_after(program).isdisjoint(VENDORS)


def test_serving_imports_no_torch() -> None:
    program = (
        "import jargonaut.serving.app, jargonaut.wiring, jargonaut.encoding.openvino_encoder, jargonaut.index.lance"
    )
    assert modules_after(program).isdisjoint({"torch", "sentence_transformers", "transformers"})


def pins_of(lock: Path) -> dict[str, set[str]]:
    """Versions by package; several where they differ by Python version or platform."""
    pins: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==(\S+)", line):
            pins.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return pins


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_hold_hashes_and_no_addresses(lock: Path) -> None:
    logical = lock.read_text().replace("\\\n", " ").splitlines()
    for line in logical:
        if not line.startswith("#"):
            assert re.fullmatch(r"[\w.-]+==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line
    assert not re.search(r"://|--(extra-)?index|--find-links|@ ", lock.read_text())


@pytest.mark.parametrize(
    ("lock", "groups"),
    [("serve", []), ("demo", ["train", "hub", "minilm"]), ("dev", list(PROJECT["optional-dependencies"]))],
)
def test_locks_fit_what_is_declared(lock: str, groups: list[str]) -> None:
    pins = pins_of(ROOT / "requirements" / f"{lock}.txt")
    extras = [line for group in groups for line in PROJECT["optional-dependencies"][group]]
    for requirement in map(Requirement, [*PROJECT["dependencies"], *extras]):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {lock}.txt: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: run `make lock`"


def test_locks_agree() -> None:
    everything = pins_of(ROOT / "requirements" / "dev.txt")
    for name in ("serve", "demo", "edge"):
        for package, versions in pins_of(ROOT / "requirements" / f"{name}.txt").items():
            assert versions == everything[package], f"{package} in {name}.txt: run `make lock`"
    assert "torch" not in pins_of(ROOT / "requirements" / "serve.txt")


def test_the_lock_of_the_worker_holds_digests_and_no_addresses() -> None:
    packages = json.loads((ROOT / "worker" / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package.get("integrity", "").startswith("sha512-"), name


def test_scripts_can_be_executed() -> None:
    for path in [ROOT / ".ci" / "run", *(ROOT / "scripts").glob("*.sh")]:
        assert os.access(path, os.X_OK), path
        subprocess.run(["bash", "-n", path], check=True)


def test_the_wheel_holds_what_users_need(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (license_name,) = (name for name in names if name.endswith("dist-info/licenses/LICENSE"))
        assert archive.read(license_name) == (ROOT / "LICENSE").read_bytes()
    needed = {"py.typed", "deployment/worker/index.js", "deployment/worker/cache.js", "proof/report.css"}
    assert {f"jargonaut/{name}" for name in needed} <= names
    assert {str(path.relative_to(ROOT / "src")) for path in MODULES} <= names
    assert {name.split("/")[0] for name in names} == {"jargonaut", license_name.split("/")[0]}


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
