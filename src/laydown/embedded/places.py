"""The directories the embedded Postgres lives in: who may enter them, and where its socket fits."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from laydown.embedded.errors import EmbeddedPostgresError, in_our_words
from laydown.embedded.installation import Account

# sun_path of unix(7) holds 108 bytes, one of them the final NUL.
_LONGEST_SOCKET: Final = 107
_SOCKET_NAME: Final = ".s.PGSQL.5432"


def prepare_data_directory(data: Path, *, account: Account) -> None:
    """Make *data* if need be, and make sure that *account* can reach what is inside.

    Raises `EmbeddedPostgresError` naming the directory that stands in the way.
    """
    if not str(data).isprintable():
        # Postgres writes its path into line-based files that we and it must read back.
        raise EmbeddedPostgresError(
            f"{data!r} holds control characters or isn't valid text: choose another data directory"
        )
    with in_our_words(data):
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not account.switches:
            return
        if data.stat().st_uid == os.geteuid():
            data.chmod(data.stat().st_mode | 0o011)  # to pass through; what is inside stays shut
        for parent in data.resolve().parents:
            if not parent.stat().st_mode & stat.S_IXOTH:
                raise EmbeddedPostgresError(
                    f"Postgres can't run as root, and the user nobody may not enter {parent}: "
                    "run laydown as an ordinary user, or choose a data directory elsewhere"
                )


def socket_directory(data: Path, *, account: Account) -> Path:
    """Return a private directory, made if need be, for the socket of the server on *data*.

    `<data>/run` where the path of the socket is short and plain enough; otherwise one under
    the directory for temporary files, named after *data* so that every start finds the same.
    Raises `EmbeddedPostgresError` when somebody else has that name or may enter it.
    """
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    name = f"laydown-{account.uid}-{digest}"
    temporary = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - verified to be ours
    for directory in (data / "run", *(place / name for place in temporary)):
        if _is_speakable(directory):
            # Elsewhere than in our own directory, anybody may have made one of that name.
            owners = account.owners if directory.parent == data else {os.geteuid(), account.uid}
            _own_privately(directory, account=account, owners=owners)
            return directory
    raise EmbeddedPostgresError(
        f"no directory for temporary files has a path short enough for a socket: {temporary[0]}"
    )


def socket_in(directory: Path) -> Path:
    """Return the path of the socket a server makes in *directory*."""
    return directory / _SOCKET_NAME


def forget_socket(directory: Path) -> None:
    """Remove the lock of a dead server's socket from *directory*, which must be ours alone.

    Postgres believes such a lock while any process has the id it names: after a power cut that
    may be anybody's, and in a container without an init a dead server keeps it. Call it only when
    no server of the data directory lives.
    """
    with in_our_words(directory):
        socket_in(directory).with_name(f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)


def _is_speakable(directory: Path) -> bool:
    # libpq splits hosts at commas, and Postgres its list of directories; quotes and backslashes
    # mean something to both. Rather than trust two quoting rules, such a path isn't used.
    if set('",\\') & set(str(directory)):
        return False
    return len(os.fsencode(socket_in(directory))) <= _LONGEST_SOCKET


def _own_privately(directory: Path, *, account: Account, owners: AbstractSet[int]) -> None:
    with in_our_words(directory):
        directory.mkdir(mode=0o700, exist_ok=True)
        status = directory.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid in owners
        if not ours or stat.S_IMODE(status.st_mode) & 0o077:
            # Whoever owns the directory could put a socket of their own there.
            raise EmbeddedPostgresError(
                f"{directory} must be a directory of this user that nobody else may enter "
                f"(it has mode {stat.filemode(status.st_mode)} and owner {status.st_uid}): "
                "remove it, then start again"
            )
        account.own(directory)
