"""How long it takes to sign a window of URLs: `python -m bench.signing`.

Prints the best of twenty rounds, in milliseconds of one core, of 5,000 single PUTs with checksums
and of 5,000 parts. Signing happens on the API's event loop, so this is time that nobody else has.
"""

import asyncio
import base64
import time
from dataclasses import replace
from uuid import UUID

from aiobotocore.credentials import AioCredentials

from laydown.domain.lifecycle import State
from laydown.domain.upload import BatchId, Entry, OrganizationId, ProjectId, Upload, UploadId
from laydown.objects.credentials import Credentials
from laydown.objects.s3_address import parse_address
from laydown.objects.s3_urls import S3Urls

URLS = 5_000
ROUNDS = 20
MOST = 100.0  # milliseconds, as promised
_ADDRESS = "s3://laydown-bench?region=eu-central-1"


def uploads() -> list[Upload]:
    """Return files of one part, each with an id of its own."""
    some = UUID(int=1 << 100)
    return [
        Upload(
            id=UploadId(UUID(int=(2 << 100) + number)),
            organization=OrganizationId(some),
            project=ProjectId(some),
            batch=BatchId(some),
            entry=Entry(key="f", path="f.pdf", folded="f.pdf", size=3_000_000 + number),
            state=State.RECEIVING,
        )
        for number in range(URLS)
    ]


async def _find() -> AioCredentials:
    return AioCredentials("AKIDEXAMPLE", "secret", "t" * 900)  # as long as a role's token


async def signer() -> S3Urls:
    """Return what signs, with a role's credentials."""
    address = parse_address(_ADDRESS)
    urls = S3Urls(address, Credentials(region=address.region, find=_find))
    await urls.refresh()
    return urls


def singles(urls: S3Urls, files: list[Upload], checksums: list[str]) -> float:
    """Sign one PUT for each file; return how many milliseconds that took."""
    began = time.process_time()
    for upload, checksum in zip(files, checksums, strict=True):
        urls.sign_part(upload, 1, length=upload.entry.size, checksum=checksum)
    return (time.process_time() - began) * 1000


def parts(urls: S3Urls, upload: Upload, checksums: list[str]) -> float:
    """Sign as many parts of one file; return how many milliseconds that took."""
    began = time.process_time()
    for number, checksum in enumerate(checksums, start=1):
        urls.sign_part(upload, number, length=8 << 20, checksum=checksum)
    return (time.process_time() - began) * 1000


def main() -> None:
    """Measure and print."""
    urls, files = asyncio.run(signer()), uploads()
    checksums = [
        f"crc64nvme:{base64.b64encode(number.to_bytes(8, 'big')).decode()}"
        for number in range(URLS)
    ]
    large = replace(files[0], part_size=8 << 20, parts=URLS, multipart_id="2~" + "a" * 90)
    for name, best in (
        ("single PUTs", min(singles(urls, files, checksums) for _ in range(ROUNDS))),
        ("parts", min(parts(urls, large, checksums) for _ in range(ROUNDS))),
    ):
        verdict = "within" if best < MOST else "OVER"
        print(f"{URLS:,} {name}: {best:.0f} ms, {verdict} the {MOST:.0f} ms promised")


if __name__ == "__main__":
    main()
