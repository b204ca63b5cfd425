"""Who looks for malware, in one line: `clamav://127.0.0.1:3310`, `guardduty` or `none`."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

PORT: Final = 3310
"""Where clamd listens when its configuration names no other (`TCPSocket` in clamd.conf(5))."""

# sun_path of unix(7) holds 108 bytes, one of them the final NUL.
_LONGEST_SOCKET: Final = 107
_FORMS: Final = "clamav://HOST:PORT, clamav:///PATH/TO/SOCKET, guardduty or none"


class ScannerKind(StrEnum):
    """The scanners there are, by the name that receipts show."""

    NONE = "none"
    CLAMAV = "clamav"
    GUARDDUTY = "guardduty"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerAddress:
    """A scanner and, of one that is asked, where it listens: a socket, or a host and a port."""

    kind: ScannerKind
    socket: str | None = None  # an absolute path
    host: str | None = None
    port: int = PORT

    def __str__(self) -> str:
        """Return it as settings have it."""
        if self.kind is not ScannerKind.CLAMAV:
            return self.kind.value
        if self.socket is not None:
            return f"clamav://{self.socket}"
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"clamav://{host}:{self.port}"


def parse_address(text: str) -> ScannerAddress:
    """Return the scanner a setting names; raise `ValueError`, with a sentence, for others."""
    if text in (ScannerKind.NONE, ScannerKind.GUARDDUTY):
        return ScannerAddress(kind=ScannerKind(text))
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no address of a scanner: {error}") from None
    if split.scheme != ScannerKind.CLAMAV:
        raise ValueError(f"{text!r} is no scanner: say {_FORMS}")
    if split.query or split.fragment or split.username or split.password:
        raise ValueError(f"{text!r} says more than where clamd listens: say {_FORMS}")
    if split.hostname is None:
        return ScannerAddress(kind=ScannerKind.CLAMAV, socket=_socket(text, split))
    if split.path.strip("/"):
        raise ValueError(f"{text!r} has a host and a path: a socket has three slashes before it")
    return ScannerAddress(
        kind=ScannerKind.CLAMAV, host=split.hostname, port=PORT if port is None else port
    )


def _socket(text: str, split: SplitResult) -> str:
    path = unquote(split.path)
    if not PurePosixPath(path).is_absolute() or path.endswith("/"):
        raise ValueError(f"{text!r} names no socket: say {_FORMS}")
    if len(path.encode()) > _LONGEST_SOCKET:
        raise ValueError(f"{text!r} is too long: a socket's path has {_LONGEST_SOCKET} bytes")
    return path
