"""The keys that sign byte URLs, kept in a file beside the bytes."""

import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

_SECRET_LENGTH = 32  # bytes: as long as the digest, RFC 2104 §3
_ID_LENGTH = 4  # bytes, written as 8 hexadecimal digits
_KEPT = 2  # the current key and the one before it
ROTATE_AFTER = timedelta(days=30)


class BadKeyFile(Exception):
    """The key file can't be read; delete it, and every byte URL out there asks for a new grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One secret, and the name that URLs know it by."""

    id: str  # 8 hexadecimal digits
    secret: bytes
    made_at: float  # seconds since 1970


class KeyRing:
    """The current signing key and the previous one, so that a rotation spoils no URL."""

    def __init__(self, path: Path, keys: Sequence[SigningKey], *, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._keys = tuple(keys)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        rotate_after: timedelta = ROTATE_AFTER,
        now: Callable[[], float] = time.time,
    ) -> Self:
        """Read the keys, made if absent and rotated if old; blocks. Raises `BadKeyFile`."""
        ring = cls(path, _read(path), now=now)
        if not ring._keys or now() - ring.current.made_at > rotate_after.total_seconds():
            ring.rotate()
        return ring

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._keys[0]

    def secret(self, key: str) -> bytes | None:
        """Return the secret of the key of this name, or None when it is retired or unknown."""
        for kept in self._keys:
            if kept.id == key:
                return kept.secret
        return None

    def rotate(self) -> None:
        """Sign with a new key from now on, keeping the one before; blocks."""
        fresh = SigningKey(
            id=secrets.token_hex(_ID_LENGTH),
            secret=secrets.token_bytes(_SECRET_LENGTH),
            made_at=self._now(),
        )
        keys = (fresh, *self._keys)[:_KEPT]
        _write(self._path, keys)
        self._keys = keys


def _read(path: Path) -> list[SigningKey]:
    try:
        content = json.loads(path.read_bytes())
        return [
            SigningKey(
                id=str(key["id"]),
                secret=base64.b64decode(key["secret"], validate=True),
                made_at=float(key["made_at"]),
            )
            for key in content["keys"]
        ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise BadKeyFile(f"{path} does not hold signing keys") from error


def _write(path: Path, keys: Sequence[SigningKey]) -> None:
    """Replace the file so that it is old or new, never half, and nobody else reads it."""
    content = {
        "keys": [
            {"id": key.id, "secret": base64.b64encode(key.secret).decode(), "made_at": key.made_at}
            for key in keys
        ]
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(json.dumps(content, indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
