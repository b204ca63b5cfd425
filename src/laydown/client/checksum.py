"""The checksum that goes with every part: CRC64NVME, which S3 verifies too."""

import base64

from awscrt import checksums

from laydown import wire

HEADER = "x-amz-checksum-crc64nvme"


def crc64nvme(data: bytes | memoryview, before: int = 0) -> int:
    """Return the checksum of *data* behind what has the checksum *before*."""
    return int(checksums.crc64nvme(data, before))


def joined(first: int, second: int, second_length: int) -> int:
    """Return the checksum of two stretches of bytes from the checksum of each."""
    return int(checksums.combine_crc64nvme(first, second, second_length))


def signable(crc: int) -> str:
    """Return a checksum as a grant request names it."""
    return f"crc64nvme:{_encoded(crc)}"


def part_headers(length: int, crc: int) -> dict[str, str]:
    """Return the headers that go with a part of *length* bytes."""
    return {
        HEADER: _encoded(crc),
        "Content-Length": str(length),
        "Content-Type": "application/octet-stream",
    }


def headers_for(grant: wire.PartGrant, length: int, crc: int | None) -> dict[str, str]:
    """Return the headers of a PUT.

    A store takes what was granted and nothing of its own kind besides: a checksum that is not
    signed is refused there, while our server looks at any.
    """
    ours = {"Content-Length": str(length)}
    if crc is not None and not is_for_store(grant):
        ours = part_headers(length, crc)
    granted = {name.lower() for name in grant.headers}
    return {name: text for name, text in ours.items() if name.lower() not in granted} | dict(
        grant.headers
    )


def is_for_store(grant: wire.PartGrant) -> bool:
    """Say whether bytes go to a store of its own, and not through the server."""
    return not grant.url.startswith("/")


def _encoded(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(8, "big")).decode()  # as S3 writes it
