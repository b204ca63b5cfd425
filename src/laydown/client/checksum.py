"""The checksum that goes with every part: CRC64NVME, which S3 verifies too."""

import base64

from awscrt import checksums

HEADER = "x-amz-checksum-crc64nvme"


def crc64nvme(data: bytes | memoryview, before: int = 0) -> int:
    """Return the checksum of *data* behind what has the checksum *before*."""
    return int(checksums.crc64nvme(data, before))


def part_headers(length: int, crc: int) -> dict[str, str]:
    """Return the headers that go with a part of *length* bytes."""
    return {
        HEADER: base64.b64encode(crc.to_bytes(8, "big")).decode(),  # as S3 writes it
        "Content-Length": str(length),
        "Content-Type": "application/octet-stream",
    }
