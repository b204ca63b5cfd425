"""What the suites of the S3 store share: a bucket of a real S3, and bytes sent as clients do."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import count
from typing import Any

import aiohttp
from aiobotocore.credentials import AioCredentials
from awscrt import checksums
from yarl import URL

from laydown.domain.upload import Upload
from laydown.objects.credentials import Credentials
from laydown.objects.s3 import S3Store
from laydown.objects.s3_address import BucketAddress, parse_address
from laydown.objects.s3_http import S3Client, connected
from laydown.objects.s3_urls import S3Urls
from laydown.ports import SignedUrl
from tests.byte_support import make_upload
from tests.engines.seaweed import Seaweed

CRC = "x-amz-checksum-crc64nvme"
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a store answered to a client."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Bucket:
    """A bucket that is one test's alone, as we and as clients see it."""

    seaweed: Seaweed
    client: S3Client
    store: S3Store
    urls: S3Urls
    session: aiohttp.ClientSession

    async def send(self, signed: SignedUrl, body: bytes, **changed: str) -> Answer:
        """PUT as a grant says, or with other headers."""
        headers = {**signed.headers, **{k.replace("_", "-"): v for k, v in changed.items()}}
        return await self.ask("PUT", signed.url, body, headers)

    async def ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request as somebody who has nothing but a URL."""
        async with self.session.request(
            method,
            URL(url, encoded=True),
            data=BytesIO(body) if body or method == "PUT" else None,
            headers=headers,
        ) as response:
            return Answer(
                status=response.status, body=await response.read(), headers=response.headers
            )

    async def put_object(self, body: bytes) -> Upload:
        """Send a file of one part."""
        upload = make_upload(len(body))
        signed = self.urls.sign_part(upload, 1, length=len(body), checksum=checksum_of(body))
        answer = await self.send(signed, body)
        assert answer.status == 200, answer.body
        return upload

    async def put_parts(self, body: bytes, *, part_size: int) -> Upload:
        """Send a file's parts, last one first, without joining them."""
        upload = await self.begun(len(body), part_size=part_size)
        for number in range(upload.parts, 0, -1):
            await self.put_part(upload, number, body)
        return upload

    async def put_part(self, upload: Upload, number: int, body: bytes) -> Answer:
        """Send the part of *body* that has this number."""
        assert upload.part_size is not None
        part = body[(number - 1) * upload.part_size : number * upload.part_size]
        signed = self.urls.sign_part(upload, number, length=len(part), checksum=checksum_of(part))
        answer = await self.send(signed, part)
        assert answer.status == 200, answer.body
        return answer

    async def begun(self, size: int, *, part_size: int) -> Upload:
        """Begin a file in parts."""
        upload = make_upload(size, part_size=part_size)
        return replace(upload, multipart_id=(await self.store.begin([upload]))[upload.id])

    def botocore(self) -> Any:
        """Return a client of somebody else's, for what ours doesn't do."""
        return self.seaweed.client()


def checksum_of(body: bytes) -> str:
    """Return the checksum of some bytes as clients write it."""
    value = checksums.crc64nvme(body).to_bytes(8, "big")
    return f"crc64nvme:{base64.b64encode(value).decode()}"


def credentials_of(access_key: str, secret_key: str, *, region: str = "us-east-1") -> Credentials:
    """Return credentials that are known without looking anywhere."""

    async def find() -> AioCredentials:
        return AioCredentials(access_key, secret_key)

    return Credentials(region=region, find=find)


@asynccontextmanager
async def opened_bucket(seaweed: Seaweed, **settings: Any) -> AsyncIterator[Bucket]:
    """Make a bucket, and open it for us and for clients; *settings* go to `S3Client`."""
    name = await seaweed.bucket(f"objects-{next(_numbers)}")
    address = address_of(seaweed, name)
    credentials = credentials_of(seaweed.access_key, seaweed.secret_key)
    async with connected() as ours, aiohttp.ClientSession() as theirs:
        client = S3Client(address, credentials, ours, **settings)
        urls = S3Urls(address, credentials)
        await urls.refresh()
        store = S3Store(client)
        yield Bucket(seaweed=seaweed, client=client, store=store, urls=urls, session=theirs)


def address_of(seaweed: Seaweed, bucket: str) -> BucketAddress:
    """Return the address of a bucket of the engine."""
    return parse_address(f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}")
