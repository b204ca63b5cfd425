"""A real S3 that stops, dies and comes back, and what reading costs meanwhile."""

import asyncio
import hashlib
import logging
import re
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from time import monotonic

import pytest

from laydown.domain.errors import StoreUnavailable
from laydown.domain.scanning import Scan, Verdict
from laydown.objects.circuit import Circuit
from laydown.objects.credentials import Credentials
from laydown.objects.s3 import S3Store
from laydown.objects.s3_urls import S3Urls
from laydown.ports import Look
from tests.byte_support import make_upload
from tests.engines.seaweed import Seaweed, running_seaweed
from tests.s3_support import Bucket, credentials_of, opened_bucket

MIB = 1 << 20
PAUSED = 5.0  # seconds after which a store that was away is asked again at the latest
LARGE = 200 * MIB
MOST = 24 * MIB  # a handful of blocks of 1 MiB, and what the connection reads ahead


@pytest.fixture
def own_seaweed(seaweed: Seaweed) -> Iterator[Seaweed]:
    """Yield an S3 that no other test waits for; the shared one skips where there is none."""
    assert seaweed.endpoint
    with running_seaweed() as own:
        yield own


@pytest.fixture
async def bucket(seaweed) -> AsyncIterator[Bucket]:
    async with opened_bucket(seaweed) as bucket:
        yield bucket


class Slow:
    """A scanner that lets the download wait at every chunk, as far as an event loop can."""

    def __init__(self) -> None:
        self.read = hashlib.sha256()

    async def scan(self, chunks: AsyncIterator[bytes], *, size: int) -> Scan:
        assert size == LARGE
        async for chunk in chunks:
            await asyncio.to_thread(self.read.update, chunk)
            await asyncio.to_thread(hashlib.sha512(chunk).digest)
        return Scan(scanner="slow", verdict=Verdict.CLEAN)


async def test_a_paused_store_is_unavailable_and_fine_again(own_seaweed):
    """With connections left open the deadline ends the wait, and nothing of it remains."""
    async with opened_bucket(own_seaweed, deadline=1.0) as bucket:
        upload = await bucket.put_object(b"plan")
        own_seaweed.pause()
        try:
            began = monotonic()
            with pytest.raises(StoreUnavailable):
                await bucket.store.size(upload.key)
            found = await bucket.store.fingerprints([upload.key])
            assert isinstance(found[upload.key], StoreUnavailable)
            assert 2.0 <= monotonic() - began < 10
        finally:
            own_seaweed.resume()

        assert await bucket.store.size(upload.key) == 4
        found = await bucket.store.fingerprints([upload.key])
        assert found[upload.key].fingerprint.size == 4


async def test_a_killed_store_is_waited_for(own_seaweed):
    """Within the deadline its return is all that a caller notices; what was kept is there."""
    async with opened_bucket(own_seaweed, deadline=60.0, attempts=200) as bucket:
        upload = await bucket.put_object(b"plan")
        own_seaweed.kill()
        asking = asyncio.create_task(bucket.store.fingerprints([upload.key]))
        await own_seaweed.start_again()

        found = await asking
        assert found[upload.key].fingerprint.sha256 == hashlib.sha256(b"plan").digest()


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_store_that_stays_away_turns_requests_away_at_once(own_seaweed, is_killed):
    """After three requests in vain one caller a pause asks; when it is back everybody may."""
    later = 0.0
    circuit = Circuit(clock=lambda: monotonic() + later)
    async with opened_bucket(own_seaweed, deadline=2.0, circuit=circuit) as bucket:
        upload = await bucket.put_object(b"plan")

        async def asked() -> float:
            began = monotonic()
            with pytest.raises(StoreUnavailable):
                await bucket.store.size(upload.key)
            return monotonic() - began

        own_seaweed.kill() if is_killed else own_seaweed.pause()
        try:
            assert min([await asked() for _ in range(3)]) > 1.9
            assert max([await asked() for _ in range(100)]) < 0.5

            later += PAUSED
            waits = sorted(await asyncio.gather(*(asked() for _ in range(100))))
            assert waits[-2] < 0.5
            assert waits[-1] < 0.5 if is_killed else waits[-1] > 1.9
        finally:
            await own_seaweed.start_again() if is_killed else own_seaweed.resume()
        async with opened_bucket(own_seaweed, deadline=60.0) as patient:
            await patient.put_object(b"it answers again")  # which may take it a while

        later += PAUSED
        assert [await bucket.store.size(upload.key) for _ in range(10)] == [4] * 10


async def test_a_store_that_refuses_is_not_away(bucket):
    """However many requests are refused or told to slow down, the next one is asked."""
    upload = await bucket.put_object(b"plan")
    right = bucket.client.credentials
    bucket.client.credentials = credentials_of("AKIANOBODY", "wrong")
    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            await bucket.store.size(upload.key)
    bucket.client.credentials = right
    assert await bucket.store.size(upload.key) == 4


@pytest.mark.parametrize("has_scanner", [False, True])
async def test_proving_a_large_object_takes_little_memory(bucket, has_scanner):
    """However long the object and slow the scanner, a few MiB are held, and each byte is read."""
    upload = make_upload(LARGE)
    block = bytes(range(256)) * 4096
    with bucket.botocore() as s3:
        body = block * (LARGE // MIB)
        await asyncio.to_thread(
            s3.put_object, Bucket=bucket.client.address.bucket, Key=upload.key, Body=body
        )
        wanted = hashlib.sha256(body).digest()
        del body
    scanner = Slow() if has_scanner else None
    tracemalloc.start()
    try:
        found = await bucket.store.fingerprints([upload.key], scanner=scanner)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found[upload.key].fingerprint.sha256 == wanted
    assert scanner is None or scanner.read.digest() == wanted
    assert most < MOST


@pytest.mark.parametrize("is_found", [False, True])
async def test_above_the_port_every_refusal_is_one_error(bucket, seaweed, is_found):
    """Credentials that are revoked or away are the store's absence, which HTTP has a status for."""

    async def nothing() -> None:
        return None

    wrong = credentials_of("AKIANOBODY", seaweed.secret_key)
    credentials = wrong if is_found else Credentials(region=seaweed.region, find=nothing)
    bucket.client.credentials = credentials
    store, upload = bucket.store, make_upload(9, part_size=5)
    asked = [
        store.begin([upload]),
        store.join(upload),
        store.size(upload.key),
        store.quarantine(upload.key),
        store.discard(upload.key),
        _readable(store, upload.key),
        anext(store.read(upload.key)),
        anext(store.objects()),
    ]
    if not is_found:
        asked.append(S3Urls(bucket.client.address, credentials).refresh())

    for each in asked:
        with pytest.raises(StoreUnavailable) as refused:
            await each
        assert type(refused.value) is StoreUnavailable
        assert re.search("InvalidAccessKeyId|AWS_ACCESS_KEY_ID|403", str(refused.value))


async def _readable(store: S3Store, key: str) -> Look:
    """Return what is read of one object; raise why it isn't."""
    look = (await store.fingerprints([key]))[key]
    if isinstance(look, StoreUnavailable):
        raise look
    return look


async def test_errors_and_logs_have_no_secrets(bucket, seaweed, caplog):
    """Neither keys nor signatures are in what is raised, shown or logged."""
    caplog.set_level(logging.DEBUG)
    wrong = credentials_of(seaweed.access_key, "wrong-secret" * 3)
    bucket.client.credentials = wrong
    with pytest.raises(StoreUnavailable) as refused:
        await bucket.store.join(make_upload(1))
    signer = await wrong.signer()

    told = "\n".join(
        [repr(refused.value), str(refused.value), caplog.text]
        + [repr(each) for each in (wrong, signer, signer.key, bucket.client, bucket.store)]
    )
    for secret in ("wrong-secret", seaweed.secret_key, "Signature=", "AWS4-HMAC"):
        assert secret not in told
