"""A clamd of our own beside `laydown up`, where ClamAV is installed: files are scanned for malware.

Run as a program it *becomes* clamd, and leaves a watcher that ends it with its supervisor:
`python -m laydown.embedded.clamd <clamd> <argument>…`.
"""

import asyncio
import hashlib
import os
import pwd
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laydown.embedded.child import ChildSpec
from laydown.embedded.errors import os_error_sentence
from laydown.embedded.lifeline import LIFELINE_VARIABLE

SYSTEM_SIGNATURES: Final = Path("/var/lib/clamav")
"""Where freshclam keeps the signatures on Debian, Fedora and their kin."""

_KINDS: Final = ("*.cvd", "*.cld", "*.ndb", "*.hdb")  # files that hold signatures
_DAEMONS: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # not in everybody's PATH
_ACCOUNTS: Final = ("clamav", "_clamav", "clamupdate", "nobody")  # what distributions call it
_PATIENCE: Final = 300.0  # seconds to read eight million signatures, which takes 20 on a quiet CPU
_ANSWER: Final = 5.0  # seconds between PING and PONG
_MERCY: Final = 10.0  # seconds between SIGTERM and SIGKILL once the supervisor is gone

# sun_path of unix(7) holds 108 bytes, one of them the final NUL.
_LONGEST_SOCKET: Final = 107

# A clamd cuts a file inside an archive at MaxFileSize and calls the rest clean without a word.
# What MaxScanSize cuts it does report, with AlertExceedsMax: so that must be the smaller one.
_LIMITS: Final = {
    "StreamMaxLength": "1000M",
    "MaxScanSize": "1000M",
    "MaxFileSize": "2000M",
    "MaxScanTime": "300000",  # milliseconds
    "AlertExceedsMax": "yes",
    "AlertEncryptedArchive": "yes",  # else what nobody can look into is called clean
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClamdPlan:
    """Whether there is a clamd to run, and what to tell the person who starts it."""

    spec: ChildSpec | None  # to supervise; None when there is nothing to run
    address: str | None  # such as `clamav:///path/to/clamd.sock`; None with the same meaning
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """Who a clamd runs as that root starts: it takes hostile files apart."""

    name: str
    uid: int
    gid: int


class _NotOursError(Exception):
    """A directory that somebody else made or may enter."""


def find_clamd() -> Path | None:
    """Return where clamd is installed, or None."""
    found = shutil.which("clamd") or shutil.which("clamd", path=_DAEMONS)
    return None if found is None else Path(found)


def plan_clamd(data: Path, *, signatures: Path = SYSTEM_SIGNATURES) -> ClamdPlan:
    """Prepare a clamd for the data directory *data*, with the signatures that freshclam keeps.

    Its configuration and its log are in `<data>/clamd` and `<data>/logs`; its socket is in
    `<data>/run` when the path is short enough, else in a private directory for temporary files.
    Needs about 1.3 GB of memory with ClamAV's own signatures. Only for who owns *data*. Never
    raises: that clamd can't be run is a sentence, and files are then taken without a scan.
    """
    clamd = find_clamd()
    if clamd is None:
        return _without(
            "files are taken without a look for malware, because ClamAV isn't installed: "
            "'apt-get install clamav-daemon clamav-freshclam' installs it"
        )
    try:
        if not _has_signatures(signatures):
            return _without(
                "files are taken without a look for malware, because ClamAV has no signatures in "
                f"{signatures}: run 'freshclam' as root to fetch them, then start again"
            )
        spec, socket = _prepare(clamd, data, signatures)
    except _NotOursError as error:
        return _without(f"files are taken without a look for malware: {error}")
    except OSError as error:
        return _without(
            f"files are taken without a look for malware: {os_error_sentence(error, data)}"
        )
    return ClamdPlan(
        spec=spec,
        address=f"clamav://{socket}",
        sentence=f"files are scanned for malware by ClamAV, with the signatures in {signatures}",
    )


def _without(sentence: str) -> ClamdPlan:
    return ClamdPlan(spec=None, address=None, sentence=sentence)


def _has_signatures(directory: Path) -> bool:
    # Path.glob is quiet about a directory that isn't there or can't be read.
    return any(path.stat().st_size > 0 for kind in _KINDS for path in directory.glob(kind))


def _prepare(clamd: Path, data: Path, signatures: Path) -> tuple[ChildSpec, Path]:
    """Write the configuration; return what to run, and its socket."""
    account = _account()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = data.absolute() / "clamd"
    home.mkdir(mode=0o700, exist_ok=True)
    run = _run_directory(data.absolute(), account)
    socket = run / "clamd.sock"
    scratch = run / "scratch" if account else home / "scratch"  # bodies, while they are scanned
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed clamd left
    _own(scratch, account)
    config = home / "clamd.conf"
    config.write_text(
        _config(signatures=signatures.absolute(), socket=socket, scratch=scratch, account=account)
    )
    spec = ChildSpec(
        name="clamd",
        # Isolated from the directory we were started in and from PYTHON* variables.
        argv=[sys.executable, "-I", "-m", __name__, str(clamd), f"--config-file={config}"],
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        ready=_ready(socket),
        ready_within=_PATIENCE,
        log=data / "logs" / "clamd.log",
    )
    return spec, socket


def _account() -> _Account | None:
    """Return who clamd is to be, or None: who we are."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    return None


def _run_directory(data: Path, account: _Account | None) -> Path:
    """Return a private directory, made if need be, that holds the socket."""
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    name = f"laydown-clamd-{os.geteuid()}-{digest}"
    places = [Path(tempfile.gettempdir(), name), Path("/tmp", name)]  # noqa: S108 - seen to be ours
    if account is None:  # nobody else has to pass through the data directory
        places.insert(0, data / "run")
    for place in places:
        if len(os.fsencode(place / "clamd.sock")) <= _LONGEST_SOCKET:
            _own(place, account)
            return place
    raise _NotOursError(f"{tempfile.gettempdir()} is too long a path for ClamAV's socket")


def _own(directory: Path, account: _Account | None) -> None:
    """Make *directory* if need be, for its owner alone; raise `_NotOursError` if it isn't."""
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    owners = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid in owners
    if not ours or stat.S_IMODE(status.st_mode) & 0o077:
        # Whoever owns the directory could answer in clamd's place.
        raise _NotOursError(f"{directory} belongs to somebody else: remove it, then start again")
    if account is not None:
        os.lchown(directory, account.uid, account.gid)  # never what a link put there names


def _config(*, signatures: Path, socket: Path, scratch: Path, account: _Account | None) -> str:
    options: dict[str, object] = {
        "Foreground": "yes",
        "DatabaseDirectory": signatures,
        "TemporaryDirectory": scratch,
        "LocalSocket": socket,
        "LocalSocketMode": "600",
        "FixStaleSocket": "yes",
        # New signatures in place of the old, not beside them: half the memory, and who scans waits.
        "ConcurrentDatabaseReload": "no",
        **_LIMITS,
    }
    if account is not None:
        options["User"] = account.name
    return "".join(f"{name} {value}\n" for name, value in options.items())


def _ready(socket: Path) -> Callable[[], Awaitable[bool]]:
    async def pongs() -> bool:
        try:
            async with asyncio.timeout(_ANSWER):
                return await _ping(socket)
        except (OSError, TimeoutError):
            return False

    return pongs


async def _ping(socket: Path) -> bool:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(b"zPING\0")
        return await reader.read(16) == b"PONG\0"
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _become(argv: Sequence[str], lifeline: int) -> None:
    """Become *argv*, after leaving a child that ends it when *lifeline* ends."""
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - positional only
    clamd = os.getpid()  # ours until then
    if os.fork() == 0:
        _watch(lifeline, clamd)
        os._exit(0)
    os.execv(argv[0], list(argv))  # noqa: S606 - what `laydown up` asked for


def _watch(lifeline: int, clamd: int) -> None:
    """Read *lifeline* to its end, then end *clamd* and the group it leads, ourselves included."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(OSError):
        while os.read(lifeline, 1):
            pass  # nobody writes here; only the end of it means something
    deadline = time.monotonic() + _MERCY
    if os.getppid() == clamd:  # otherwise it has ended, and the id may be somebody else's
        os.kill(clamd, signal.SIGTERM)
    while os.getppid() == clamd and time.monotonic() < deadline:
        time.sleep(0.05)
    if os.getpgid(0) == clamd:  # started by the supervisor: the group is ours alone
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _become(sys.argv[1:], int(os.environ[LIFELINE_VARIABLE]))  # noqa: TID251 - as lifelines do
