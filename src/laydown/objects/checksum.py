"""Checksums computed while bytes pass by."""

import hashlib
from pathlib import Path

from awscrt import checksums

from laydown.domain.digest import Algorithm, Checksum
from laydown.domain.errors import ChecksumMismatch

_BLOCK = 1 << 20  # bytes


class Meter:
    """Computes the CRC64NVME of what passes, and whatever else was promised for it.

    CRC64NVME costs next to nothing (over 20 GB/s a core with carry-less multiplication), and a
    part is known by it from then on. SHA-256 costs far more, and is computed when it was promised
    or somebody *takes_sha256*.
    """

    __slots__ = ("_crc32c", "_promised", "_sha256", "crc64nvme")

    def __init__(self, promised: Checksum | None, *, takes_sha256: bool = False) -> None:
        self.crc64nvme = 0
        self._promised = promised
        self._crc32c = 0
        takes_sha256 |= promised is not None and promised.algorithm is Algorithm.SHA256
        self._sha256 = hashlib.sha256() if takes_sha256 else None

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of what passed, where it is computed."""
        assert self._sha256 is not None
        return self._sha256.digest()

    def update(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        self.crc64nvme = checksums.crc64nvme(chunk, self.crc64nvme)
        if self._sha256 is not None:
            self._sha256.update(chunk)
        if self._promised is not None and self._promised.algorithm is Algorithm.CRC32C:
            self._crc32c = checksums.crc32c(chunk, self._crc32c)

    def verify(self) -> None:
        """Raise `ChecksumMismatch` when the bytes are not what was promised."""
        if self._promised is not None and not self._found(self._promised).matches(self._promised):
            raise ChecksumMismatch(
                f"the body's {self._promised.algorithm} is not the one sent with it"
            )

    def _found(self, promised: Checksum) -> Checksum:
        match promised.algorithm:
            case Algorithm.CRC64NVME:
                return Checksum.of_number(Algorithm.CRC64NVME, self.crc64nvme)
            case Algorithm.CRC32C:
                return Checksum.of_number(Algorithm.CRC32C, self._crc32c)
            case Algorithm.SHA256:
                return Checksum(Algorithm.SHA256, self.sha256)


def crc64nvme_of(path: str) -> int:
    """Return the CRC64NVME of a file. Blocks."""
    crc = 0
    with Path(path).open("rb") as file:
        while chunk := file.read(_BLOCK):
            crc = checksums.crc64nvme(chunk, crc)
    return crc
