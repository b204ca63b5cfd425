"""A bucket when things go wrong: bytes that don't fit, answers that get lost, hands that meddle."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from laydown.domain.errors import ContentGone, StoreUnavailable
from laydown.objects.s3 import S3Store
from laydown.objects.s3_answers import S3Refused
from laydown.objects.s3_http import S3Client, connected
from laydown.objects.s3_multipart import LandedPart, complete, parts_of
from laydown.ports import Landed
from tests.byte_support import make_upload
from tests.s3_proxy import SLOW_DOWN, FaultyProxy
from tests.s3_support import Bucket, address_of, checksum_of, opened_bucket

MIB = 1 << 20
PART = 5 * MIB
BODY = bytes(range(256)) * (24 << 10)  # 6 MiB


@pytest.fixture
async def bucket(seaweed) -> AsyncIterator[Bucket]:
    async with opened_bucket(seaweed) as bucket:
        yield bucket


@asynccontextmanager
async def spoiled(bucket: Bucket, **settings: Any) -> AsyncIterator[tuple[FaultyProxy, S3Store]]:
    """Yield a proxy before the bucket, and a store that knows the bucket only through it."""
    async with (
        FaultyProxy(origin=bucket.seaweed.endpoint).running() as proxy,
        connected() as session,
    ):
        address = replace(bucket.client.address, endpoint=proxy.url)
        client = S3Client(address, bucket.client.credentials, session, **settings)
        yield proxy, S3Store(client)


async def test_what_landed_is_told_while_it_lands(bucket):
    """Parts by number and size; one object once joined; nothing of what was never begun."""
    upload = await bucket.begun(len(BODY), part_size=PART)
    single, nothing = make_upload(4), make_upload(9)
    assert await bucket.store.begin([]) == {}

    async def landed():
        found = await bucket.store.landed([upload, single, nothing])
        return [found[each.id] for each in (upload, single, nothing)]

    none = Landed(parts={}, is_object=False)
    assert await landed() == [none] * 3
    await bucket.put_part(upload, 2, BODY)
    assert (await landed())[0] == Landed(parts={2: MIB}, is_object=False)
    await bucket.put_part(upload, 1, BODY)
    assert (await landed())[0] == Landed(parts={1: PART, 2: MIB}, is_object=False)
    await bucket.store.join(upload)
    signed = bucket.urls.sign_part(single, 1, length=4, checksum=None)
    await bucket.send(signed, b"plan")
    whole = Landed(parts={}, is_object=True)
    assert await landed() == [whole, whole, none]


async def test_parts_below_five_mebibytes_never_make_an_object(bucket):
    """The store won't join them: the answer is that nothing of the file is there, not a retry."""
    upload = await bucket.put_parts(BODY, part_size=2 * MIB)

    assert await bucket.store.join(upload) == 0
    assert await bucket.store.size(upload.key) is None
    await bucket.store.discard(upload.key)
    assert await bucket.store.join(upload) is None


async def test_parts_of_other_sizes_than_planned_do_not_count(bucket):
    """What was put by other means is left out, and the size of the rest is told."""
    upload = await bucket.put_parts(BODY, part_size=PART)
    short = bucket.urls.sign_part(upload, 2, length=5, checksum=checksum_of(b"short"))
    assert (await bucket.send(short, b"short")).status == 200

    assert await bucket.store.join(upload) == PART
    assert await bucket.store.size(upload.key) is None


async def test_a_wrong_etag_joins_nothing(bucket):
    """The store refuses it, the parts stay, and with the right ones the file is whole."""
    upload = await bucket.put_parts(BODY, part_size=PART)
    assert upload.multipart_id is not None
    parts = await parts_of(bucket.client, upload.key, upload.multipart_id)
    assert parts is not None
    wrong = {**parts, 1: LandedPart(size=PART, etag='"00000000000000000000000000000000"')}

    with pytest.raises(S3Refused, match="InvalidPart"):
        await complete(bucket.client, upload.key, upload.multipart_id, wrong)
    assert await bucket.store.join(upload) == len(BODY)


async def test_a_part_sent_again_counts_as_it_was_sent_last(bucket):
    """Whatever is listed of the older one, its bytes are never joined.

    This store tells times to the second only: within one, the part is missing and sent again.
    """
    upload = await bucket.put_parts(bytes(len(BODY)), part_size=PART)
    await bucket.put_part(upload, 1, BODY)
    while 1 not in (await bucket.store.landed([upload]))[upload.id].parts:
        assert await bucket.store.join(upload) == MIB
        await bucket.put_part(upload, 1, BODY)

    assert await bucket.store.join(upload) == len(BODY)
    look = (await bucket.store.fingerprints([upload.key]))[upload.key]
    assert look.fingerprint.sha256 == hashlib.sha256(BODY[:PART] + bytes(MIB)).digest()


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_join_whose_answer_was_lost_is_done(bucket, attempts):
    """The store is asked what is there, whether or not the request was made again; so it ends."""
    upload = await bucket.put_parts(BODY, part_size=PART)
    async with spoiled(bucket, attempts=attempts) as (proxy, store):
        proxy.loses_answers_to = f"POST /{bucket.client.address.bucket}/{upload.key}"

        assert await store.join(upload) == len(BODY)
        assert await store.join(upload) == len(BODY)
    assert await bucket.store.size(upload.key) == len(BODY)


async def test_a_dropped_upload_joins_to_nothing(bucket):
    """After somebody aborted it there is neither an object nor an error."""
    upload = await bucket.put_parts(BODY, part_size=PART)
    await bucket.store.discard(upload.key)

    assert await bucket.store.join(upload) is None
    nothing = Landed(parts={}, is_object=False, is_dropped=True)
    assert (await bucket.store.landed([upload]))[upload.id] == nothing


async def test_what_was_deleted_by_hand_is_gone(bucket):
    """Size and join are None, reading says so, and the proof leaves it out."""
    upload = await bucket.put_object(b"plan")
    with bucket.botocore() as s3:
        s3.delete_object(Bucket=bucket.client.address.bucket, Key=upload.key)

    assert await bucket.store.size(upload.key) is None
    assert await bucket.store.join(upload) is None
    assert await bucket.store.fingerprints([upload.key]) == {}
    with pytest.raises(ContentGone):
        async for _ in bucket.store.read(upload.key):
            pass


async def test_a_read_that_breaks_off_goes_on_where_it_was(bucket):
    """Three cuts later every byte was read once, from one object."""
    upload = await bucket.put_object(BODY)
    async with spoiled(bucket) as (proxy, store):
        proxy.cuts = [MIB, 1, 3 * MIB]
        look = (await store.fingerprints([upload.key]))[upload.key]

        assert look.fingerprint.sha256 == hashlib.sha256(BODY).digest()
        assert look.fingerprint.size == len(BODY)
        assert proxy.count_of("GET") == 4


async def test_an_object_that_changed_while_read_is_never_mixed(bucket):
    """Cut off and overwritten in between, it is an error that passes; the next try reads the new.

    Deleted in between, it is left out.
    """
    upload = await bucket.put_object(BODY)
    where = {"Bucket": bucket.client.address.bucket, "Key": upload.key}
    other = BODY[::-1]
    async with spoiled(bucket) as (proxy, store):

        async def overwrite() -> None:
            with bucket.botocore() as s3:
                s3.put_object(**where, Body=other)

        async def delete() -> None:
            with bucket.botocore() as s3:
                s3.delete_object(**where)

        proxy.cuts, proxy.before_resume = [2 * MIB], overwrite
        why = (await store.fingerprints([upload.key]))[upload.key]
        assert isinstance(why, StoreUnavailable)
        assert "changed" in str(why)
        look = (await store.fingerprints([upload.key]))[upload.key]
        assert look.fingerprint.sha256 == hashlib.sha256(other).digest()

        proxy.cuts, proxy.before_resume = [2 * MIB], delete
        assert await store.fingerprints([upload.key]) == {}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_what_may_pass_is_tried_again(bucket, status):
    """SlowDown and its like cost time, not files."""
    upload = await bucket.put_object(b"plan")
    async with spoiled(bucket) as (proxy, store):
        proxy.refusals = [(status, SLOW_DOWN), (status, b"")]
        assert [each.key async for each in store.objects()] == [upload.key]


async def test_an_error_with_status_200_is_an_error(bucket):
    """A completion that fails after its answer has begun is not taken for a success."""
    upload = await bucket.put_parts(BODY, part_size=PART)
    async with spoiled(bucket, attempts=1) as (proxy, store):
        parts = await parts_of(store.client, upload.key, str(upload.multipart_id))
        assert parts is not None
        proxy.refusals = [(200, b"  <Error><Code>InternalError</Code></Error>")]
        with pytest.raises(StoreUnavailable, match="InternalError"):
            await complete(store.client, upload.key, str(upload.multipart_id), parts)
    assert await bucket.store.join(upload) == len(BODY)


async def test_a_store_that_stays_away_is_unavailable_in_time(bucket):
    """Silence and refusals end with the deadline, or when attempts are used up."""
    async with spoiled(bucket, deadline=0.5) as (proxy, store):
        proxy.is_silent = True
        began = monotonic()
        with pytest.raises(StoreUnavailable):
            await store.size(make_upload(1).key)
        assert 0.5 <= monotonic() - began < 5
    async with spoiled(bucket, attempts=2) as (proxy, store):
        proxy.refusals = [(503, SLOW_DOWN)] * 9
        with pytest.raises(StoreUnavailable, match="SlowDown"):
            await store.begin([make_upload(9, part_size=5)])
        assert len(proxy.asked) == 2


async def test_what_will_not_pass_is_not_tried_again(bucket):
    """A refusal is told at once, with the store's own code."""
    async with spoiled(bucket) as (proxy, store):
        refusal = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
        proxy.refusals = [(403, refusal)]
        with pytest.raises(StoreUnavailable, match="AccessDenied"):
            await store.begin([make_upload(9, part_size=5)])
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>',
        '<?xml version="1.0"?><!DOCTYPE x><ListBucketResult/>'.encode("utf-16"),
        b"<ListBucketResult>",
        b"<html>",
        b"",
        b"<ListBucketResult><Contents><Key>u/x</Key></Contents>" + b" " * (33 << 20),
    ],
    ids=range(6),
)
async def test_documents_are_read_with_care(bucket, body):
    """Declarations, entities, what ends early and what never ends are refused, not expanded."""
    async with spoiled(bucket, attempts=1) as (proxy, store):
        proxy.refusals = [(200, body)]
        with pytest.raises(StoreUnavailable, match="store"):
            [each async for each in store.objects()]


async def test_a_missing_bucket_is_no_missing_object(seaweed, bucket):
    """Where the bucket is gone nothing can be said of objects."""
    address = address_of(seaweed, "nobody-made-this")
    async with connected() as session:
        store = S3Store(S3Client(address, bucket.client.credentials, session))
        key = make_upload(1).key
        for asking in (store.size(key), store.discard(key)):
            with pytest.raises(StoreUnavailable):
                await asking
        assert isinstance((await store.fingerprints([key]))[key], StoreUnavailable)


async def test_what_is_not_ours_is_not_listed(bucket):
    """Objects under other names may be in the bucket; they are nobody's concern."""
    upload = await bucket.put_object(b"plan")
    with bucket.botocore() as s3:
        for key in ("readme.txt", "u/readme.txt", f"u/{upload.key}", "u/ü +%2F&<.txt"):
            s3.put_object(Bucket=bucket.client.address.bucket, Key=key, Body=b"x")

    assert [each.key async for each in bucket.store.objects()] == [upload.key]


async def test_long_lists_are_read_to_their_end(bucket):
    """A page has a thousand parts or objects; what is on the next one is there too."""
    upload = await bucket.begun(1_001, part_size=1)
    turn = asyncio.Semaphore(16)

    async def put(number: int) -> None:
        async with turn:
            await bucket.put_part(upload, number, bytes(1_001))
            await bucket.put_object(b"")

    await asyncio.gather(*map(put, range(1, 1_002)))

    parts = (await bucket.store.landed([upload]))[upload.id].parts
    assert parts == dict.fromkeys(range(1, 1_002), 1)
    listed = [stored.key async for stored in bucket.store.objects()]
    assert len(set(listed)) == len(listed) == 1_002
