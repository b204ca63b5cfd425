"""A Postgres cluster on disk: made whole or not at all, and configured anew at each start."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from laydown.embedded.durable import flush_directory
from laydown.embedded.errors import EmbeddedPostgresError, in_our_words
from laydown.embedded.installation import Installation

SUPERUSER: Final = "postgres"
DATABASE: Final = "laydown"

_HALF_MADE: Final = ".init-"  # <cluster>.init-<random>: becomes the cluster, or rubbish
_OURS: Final = "laydown.conf"

_SETTINGS: Final[Mapping[str, str]] = {
    # Only who may enter the socket's directory may speak to it; nothing listens on the network.
    "listen_addresses": "",
    "port": "5432",  # a part of the socket's name, no more
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # What was acknowledged survives a power cut. Commits that come together share one flush
    # by themselves; commit_delay stays 0 because it only makes a lone commit slower.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    # Few, large, even checkpoints; and WAL segments that are there before a commit needs one.
    "checkpoint_timeout": "15min",
    "max_wal_size": "1GB",
    "min_wal_size": "256MB",
    "wal_buffers": "16MB",
    "wal_compression": "off",  # this build has pglz alone, and it costs more than it saves
    # One machine, small statements: no helper processes, no compiling of plans.
    "shared_buffers": "128MB",
    "jit": "off",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # Into the file the supervisor hands over and keeps short.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "lc_messages": "C",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def is_made(cluster: Path, *, installation: Installation) -> bool:
    """Tell whether there is a cluster of our major version at *cluster*; an empty place has none.

    Raises `EmbeddedPostgresError` when something else is there, or another major version.
    """
    with in_our_words(cluster):
        if not cluster.exists() or (cluster.is_dir() and not any(cluster.iterdir())):
            return False
        try:
            major = (cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(
                f"{cluster} is not a Postgres cluster: move it away, or choose another "
                "data directory"
            ) from None
    if major != str(installation.major):
        raise EmbeddedPostgresError(
            f"{cluster} was made by Postgres {major} and this laydown brings Postgres "
            f"{installation.major}: start it once with the laydown that made it, dump the "
            "database, and load the dump into a new data directory"
        )
    return True


def half_made(cluster: Path) -> list[Path]:
    """Return the directories in which making *cluster* was once begun and never finished."""
    with in_our_words(cluster.parent):
        return sorted(cluster.parent.glob(f"{cluster.name}{_HALF_MADE}*"))


def discard(draft: Path) -> None:
    """Remove a half-made cluster; what a dying process still writes there goes the next time."""
    shutil.rmtree(draft, ignore_errors=True)


def make(cluster: Path, *, installation: Installation) -> None:
    """Make the cluster at *cluster*, with its database; whatever cuts it short, whole or absent.

    Raises `EmbeddedPostgresError` with the reason.
    """
    draft = cluster.with_name(f"{cluster.name}{_HALF_MADE}{secrets.token_hex(4)}")
    with in_our_words(draft):
        draft.mkdir(mode=0o700)
        installation.account.own(draft)
    try:
        _fill(draft, installation=installation)
        with in_our_words(cluster):
            draft.rename(cluster)
            flush_directory(cluster.parent)
    except BaseException:
        discard(draft)
        raise


def configure(cluster: Path, *, sockets: Path) -> None:
    """Write our settings for a server on *cluster* that is reached in the directory *sockets*."""
    settings = {**_SETTINGS, "unix_socket_directories": f'"{sockets}"'}
    text = "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())
    draft = cluster / f"{_OURS}.new"
    with in_our_words(cluster):
        owner = cluster.stat()
        draft.write_text(f"# Written by laydown at each start: change nothing here.\n{text}")
        draft.chmod(0o600)
        os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(cluster / _OURS)


def _fill(draft: Path, *, installation: Installation) -> None:
    """Turn the empty directory *draft* into a durable cluster that holds our database."""
    _run(
        installation,
        draft,
        "initdb",
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth-local=trust",  # the socket's directory is the lock
        "--auth-host=reject",
        "--data-checksums",
        "--no-instructions",
        "--no-sync",  # all of it is flushed once, below
    )
    with in_our_words(draft), (draft / "postgresql.conf").open("a") as configuration:
        configuration.write(f"\ninclude_if_exists = '{_OURS}'\n")
    statements = Path(__file__).with_name("cluster.sql").read_bytes()
    # -j: a statement ends at `;` and an empty line; -F: no flush before the one below.
    single = ("--single", "-j", "-F", "-c", "exit_on_error=on", "-D", draft, SUPERUSER)
    _run(installation, draft, "postgres", *single, stdin=statements)
    _run(installation, draft, "initdb", f"--pgdata={draft}", "--sync-only")


def _run(
    installation: Installation, draft: Path, name: str, *arguments: str | Path, stdin: bytes = b""
) -> None:
    # The tools work in the draft, so that what a kill leaves of them is found there.
    code, said = installation.tool(name, *arguments, cwd=draft, stdin=stdin)
    if code != 0:
        place = draft.parent
        raise EmbeddedPostgresError(explain(said, doing=f"make a database in {place}", place=place))


def explain(said: str, *, doing: str, place: Path) -> str:
    """Say why Postgres could not *doing*, from what it *said*, and what to do about it."""
    if "shared memory" in said and ("Cannot allocate memory" in said or "No space left" in said):
        return f"there is not enough memory to {doing}: free some, then start again"
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return f"the disk that holds {place} is full: free some space, then start again"
    if "Permission denied" in said:
        return (
            f"Postgres may not write or enter {place}: correct its owner or permissions, "
            "or choose another data directory"
        )
    last = "; ".join(line.strip() for line in said.strip().splitlines()[-3:])
    return f"Postgres could not {doing}: {last or 'it said nothing'}"


def _quoted(value: str) -> str:
    """Return *value* as a configuration file wants it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
