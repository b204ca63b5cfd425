"""Peers that are npm packages, installed as their lock file says."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from bench.peers.peer import PeerUnavailable

_INSTALL_SECONDS = 300


def install(source: Path, work: Path) -> Path:
    """Return a copy of *source* with its locked packages installed; quick when nothing changed.

    Raises `PeerUnavailable` without Node and npm, or when npm can't install.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise PeerUnavailable("Node and npm are not installed")
    home = work / source.name
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "server.js"):
        shutil.copyfile(source / name, home / name)
    digest = hashlib.sha256((home / "package-lock.json").read_bytes()).hexdigest()
    mark = home / "installed"
    if mark.exists() and mark.read_text() == digest:
        return home
    # Install scripts are left out: no package of ours needs one, and none should run unasked.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerUnavailable(f"npm ci took over {_INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise PeerUnavailable(f"npm ci failed: {done.stderr.strip()[-500:]}")
    mark.write_text(digest)
    return home


def version(home: Path, package: str) -> str:
    """Return the version of an installed package."""
    about = json.loads((home / "node_modules" / package / "package.json").read_text())
    return f"{package} {about['version']}"


def node_version() -> str:
    """Return the version of Node."""
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return f"Node {done.stdout.strip().removeprefix('v')}"
