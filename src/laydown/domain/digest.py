"""Checksums as they travel: parse them from headers, compare them, write them back.

CRCs are verified while bytes arrive, because they cost nearly nothing; SHA-256 is what a file is
known by, and is proven afterwards. Computing either is the business of adapters.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Algorithm(StrEnum):
    """A checksum that we verify; the value is S3's name for it, in lower case."""

    CRC32C = "crc32c"  # Castagnoli, RFC 3720 appendix B.4; 32 bits
    CRC64NVME = "crc64nvme"  # NVM Express 2.0 NVM Command Set 5.2.1.3.4; 64 bits
    SHA256 = "sha256"  # FIPS 180-4; 256 bits

    @property
    def length(self) -> int:
        """The bytes of a value."""
        return _LENGTHS[self]


_LENGTHS: Mapping[Algorithm, int] = {
    Algorithm.CRC32C: 4,
    Algorithm.CRC64NVME: 8,
    Algorithm.SHA256: 32,
}

# "Checking object integrity", Amazon S3 User Guide: base64 of the big-endian value.
AMAZON_HEADERS: Mapping[str, Algorithm] = {
    f"x-amz-checksum-{algorithm}": algorithm for algorithm in Algorithm
}

CONTENT_DIGEST = "content-digest"
"""RFC 9530: the digest of this message's content, as a dictionary of byte sequences."""

# RFC 8941 §3.2, §3.3.5: a member whose value is a byte sequence, parameters after it ignored.
_MEMBER = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)\s*=\s*:([^:]*):\s*(?:;[^,]*)?")
_HEX_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


class BadChecksum(ValueError):
    """A checksum that can't be read; the message tells the client what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """The value that an algorithm gives for some bytes."""

    algorithm: Algorithm
    value: bytes  # big-endian where it is a number

    def __post_init__(self) -> None:
        """Raise `BadChecksum` for a value of the wrong length."""
        if len(self.value) != self.algorithm.length:
            raise BadChecksum(
                f"a {self.algorithm} checksum has {self.algorithm.length} bytes, "
                f"not {len(self.value)}"
            )

    @classmethod
    def of_number(cls, algorithm: Algorithm, number: int) -> Self:
        """Return the checksum whose value is *number*, as CRC libraries give it."""
        try:
            return cls(algorithm, number.to_bytes(algorithm.length, "big"))
        except OverflowError:
            raise BadChecksum(
                f"a {algorithm} checksum is a number of {algorithm.length * 8} bits, not {number}"
            ) from None

    @property
    def number(self) -> int:
        """The value as a number, as CRC libraries take it."""
        return int.from_bytes(self.value, "big")

    @property
    def header(self) -> tuple[str, str]:
        """The name and value of the header that carries it to S3, or to our byte door."""
        return f"x-amz-checksum-{self.algorithm}", base64.b64encode(self.value).decode()

    def matches(self, other: Self) -> bool:
        """Say whether both are by one algorithm and equal, in a time that tells nothing."""
        return self.algorithm is other.algorithm and hmac.compare_digest(self.value, other.value)

    def __str__(self) -> str:
        """Write the algorithm and the value in hexadecimal, for people."""
        return f"{self.algorithm}:{self.value.hex()}"


def parse_headers(headers: Mapping[str, str]) -> Checksum | None:
    """Return the checksum that a request promises for its body, or None when it promises none.

    *headers* has names in lower case, or looks them up in either. Reads
    `x-amz-checksum-{crc32c,crc64nvme,sha256}` and `Content-Digest` with `sha-256`; other
    algorithms of the latter are ignored, as RFC 9530 has it. Raises `BadChecksum` for one that
    can't be read, and for two: S3 takes one, and so do we on every store.
    """
    found = [
        Checksum(algorithm, _from_base64(headers[name], name))
        for name, algorithm in AMAZON_HEADERS.items()
        if name in headers
    ]
    if CONTENT_DIGEST in headers:
        found.extend(_from_content_digest(headers[CONTENT_DIGEST]))
    if len(found) > 1:
        raise BadChecksum("send one checksum with a request, not several")
    return found[0] if found else None


def sha256_from_hex(text: str) -> bytes:
    """Return the 32 bytes of a SHA-256 written as 64 hexadecimal digits, or raise `BadChecksum`."""
    if not _HEX_SHA256.fullmatch(text):
        raise BadChecksum("a SHA-256 is written as 64 hexadecimal digits")
    return bytes.fromhex(text)


def _from_content_digest(field: str) -> list[Checksum]:
    """Return the SHA-256 of a `Content-Digest` field, if it has one."""
    members: dict[str, str] = {}
    position = 0
    while position < len(field):
        member = _MEMBER.match(field, position)
        if not member or (member.end() < len(field) and field[member.end()] != ","):
            raise BadChecksum(
                "Content-Digest is written like `sha-256=:…:`, with base64 between the colons"
            )
        members[member[1]] = member[2]  # RFC 8941 §4.2.2: the last of equal keys counts
        position = member.end() + 1
    if "sha-256" not in members:
        return []
    return [Checksum(Algorithm.SHA256, _from_base64(members["sha-256"], "Content-Digest"))]


def _from_base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadChecksum(f"{where} is not base64") from None
