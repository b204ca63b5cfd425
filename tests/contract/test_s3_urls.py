"""What a URL for the store permits: one PUT of one part, or one GET, for a while, and no more."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials

from laydown.domain.digest import BadChecksum
from laydown.domain.document import Blob, BlobId
from laydown.domain.errors import StoreUnavailable
from laydown.domain.upload import Upload
from laydown.objects.credentials import Credentials, NoCredentials
from laydown.objects.s3_address import BucketAddress, parse_address
from laydown.objects.s3_urls import S3Urls
from tests.byte_support import ORGANIZATION, make_upload
from tests.s3_support import CRC, Bucket, checksum_of, credentials_of, opened_bucket

pytestmark = pytest.mark.distributed

MIB = 1 << 20
DISPOSITION = "attachment; filename=\"a b.pdf\"; filename*=UTF-8''Pl%C3%A4ne%20a%2Bb.pdf"


@pytest.fixture
async def bucket(seaweed) -> AsyncIterator[Bucket]:
    async with opened_bucket(seaweed) as bucket:
        yield bucket


def blob_of(upload: Upload, *, store_version: str | None = None) -> Blob:
    return Blob(
        id=BlobId(uuid4()),
        organization=ORGANIZATION,
        sha256=b"",
        size=upload.entry.size,
        kind="pdf",
        media_type="application/pdf",
        object_key=upload.key,
        store_version=store_version,
    )


async def test_a_url_takes_exactly_what_it_was_signed_for(bucket):
    """Another length, key, method or parameter is refused, and nothing is stored."""
    upload = make_upload(4)
    signed = bucket.urls.sign_part(upload, 1, length=4, checksum=None)
    other = replace(upload, attempt=2).key

    for url, body, method in [
        (signed.url, b"plans", "PUT"),
        (signed.url, b"", "PUT"),
        (signed.url.replace(upload.key, other), b"plan", "PUT"),
        (signed.url.replace("Expires=900", "Expires=901"), b"plan", "PUT"),
        (signed.url + "&tagging", b"plan", "PUT"),
        (signed.url, b"", "GET"),
        (signed.url, b"", "DELETE"),
    ]:
        assert (await bucket.ask(method, url, body, signed.headers)).status == 403
    assert await bucket.store.size(upload.key) is None
    assert (await bucket.send(signed, b"plan")).status == 200


async def test_a_checksum_is_bound_to_its_bytes(bucket):
    """Bytes with another checksum are refused, and so is a request without, or with another."""
    upload = make_upload(4)
    signed = bucket.urls.sign_part(upload, 1, length=4, checksum=checksum_of(b"plan"))
    assert signed.headers[CRC] == checksum_of(b"plan").partition(":")[2]

    wrong = await bucket.send(signed, b"play")
    assert (wrong.status, b"BadDigest" in wrong.body) == (400, True)
    forged = {CRC: checksum_of(b"play").partition(":")[2], "if-none-match": "*"}
    assert (await bucket.ask("PUT", signed.url, b"play", forged)).status == 403
    bare = {"if-none-match": "*"}
    assert (await bucket.ask("PUT", signed.url, b"plan", bare)).status == 403
    assert await bucket.store.size(upload.key) is None
    assert (await bucket.send(signed, b"plan")).status == 200


async def test_a_part_that_differs_from_its_checksum_does_not_land(bucket):
    """The store refuses it, keeps nothing of it, and takes the right bytes afterwards."""
    body = b"x" * (5 * MIB + 1)
    upload = await bucket.begun(len(body), part_size=5 * MIB)
    signed = bucket.urls.sign_part(upload, 2, length=1, checksum=checksum_of(b"x"))

    assert (await bucket.send(signed, b"y")).status == 400
    moved = signed.url.replace("partNumber=2", "partNumber=1")
    assert (await bucket.ask("PUT", moved, b"x", signed.headers)).status == 403
    assert (await bucket.store.landed([upload]))[upload.id].parts == {}
    for number in (1, 2):
        await bucket.put_part(upload, number, body)
    assert await bucket.store.join(upload) == len(body)


async def test_a_file_is_written_once(bucket):
    """A second PUT with the same URL, or one signed later, is 412; leaving the condition out, 403.

    The first bytes stay.
    """
    upload = make_upload(4)
    signed = bucket.urls.sign_part(upload, 1, length=4, checksum=None)
    assert (await bucket.send(signed, b"plan")).status == 200

    again = bucket.urls.sign_part(upload, 1, length=4, checksum=None)
    for url in (signed, again):
        assert (await bucket.send(url, b"else")).status == 412
    assert (await bucket.ask("PUT", signed.url, b"else")).status == 403
    assert b"".join([each async for each in bucket.store.read(upload.key)]) == b"plan"


async def test_a_url_ends_when_it_says(bucket):
    """Until `expires_at` it is good; after, it is refused and says so."""
    upload, life = make_upload(4), timedelta(minutes=2)
    credentials, address = bucket.client.credentials, bucket.client.address
    for age, status in [(60, 200), (130, 403)]:
        then = time.time() - age
        urls = S3Urls(address, credentials, life=life, now=partial(float, then))
        await urls.refresh()
        signed = urls.sign_part(upload, 1, length=4, checksum=None)
        assert signed.expires_at == datetime.fromtimestamp(int(then) + 120, UTC)
        answer = await bucket.send(signed, b"plan")
        assert answer.status == status
    assert b"expired" in answer.body


async def test_a_read_is_for_saving_under_our_name(bucket):
    """The store answers with our disposition and type, whatever the client sent; ranges work."""
    upload = make_upload(4)
    signed = bucket.urls.sign_part(upload, 1, length=4, checksum=None)
    assert (await bucket.send(signed, b"plan", content_type="text/html")).status == 200

    url = bucket.urls.sign_read(blob_of(upload), disposition=DISPOSITION).url
    answer = await bucket.ask("GET", url)
    assert (answer.status, answer.body) == (200, b"plan")
    assert answer.headers["Content-Disposition"] == DISPOSITION
    assert answer.headers["Content-Type"] == "application/pdf"
    ranged = await bucket.ask("GET", url, headers={"range": "bytes=1-2"})
    assert (ranged.status, ranged.body) == (206, b"la")
    assert (await bucket.ask("GET", url.replace("attachment", "inline"))).status == 403
    assert (await bucket.ask("PUT", url, b"else")).status == 403


async def test_a_read_is_bound_to_the_version_that_was_proven(bucket):
    """Where the bucket keeps versions, bytes written later under the key are not given."""
    name = bucket.client.address.bucket
    with bucket.botocore() as s3:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        upload = await bucket.put_object(b"proven")
        look = (await bucket.store.fingerprints([upload.key]))[upload.key]
        assert look.fingerprint.version is not None
        s3.put_object(Bucket=name, Key=upload.key, Body=b"swapped")

    blob = blob_of(upload, store_version=look.fingerprint.version)
    url = bucket.urls.sign_read(blob, disposition="attachment").url
    assert (await bucket.ask("GET", url)).body == b"proven"


async def refreshable(left: float) -> AioCredentials:
    """Return credentials of a session that ends in *left* seconds and can't be prolonged."""
    ends = datetime.fromtimestamp(time.time() + left, UTC)

    async def refresh():
        return {
            "access_key": "AKID",
            "secret_key": "secret",
            "token": "of a session",
            "expiry_time": ends.isoformat(),
        }

    return AioRefreshableCredentials.create_from_metadata(
        await refresh(), refresh_using=refresh, method="test"
    )


async def test_no_url_outlives_its_credentials():
    """It ends with the session, says so truthfully, and carries the session's token."""
    credentials = Credentials(region="us-east-1", find=lambda: refreshable(300))
    urls = S3Urls(BucketAddress(bucket="plans"), credentials)
    await urls.refresh()

    signed = urls.sign_part(make_upload(4), 1, length=4, checksum=None)
    query = parse_qs(urlsplit(signed.url).query)
    assert 290 <= int(query["X-Amz-Expires"][0]) <= 300
    assert signed.expires_at <= datetime.now(UTC) + timedelta(seconds=300)
    assert query["X-Amz-Security-Token"] == ["of a session"]


async def test_credentials_about_to_end_sign_nothing():
    """Less than two minutes are no life for a URL: the store is unavailable until there are new."""
    credentials = Credentials(region="us-east-1", find=lambda: refreshable(60))
    with pytest.raises(StoreUnavailable, match="about to expire"):
        await S3Urls(BucketAddress(bucket="plans"), credentials).refresh()


async def test_without_credentials_it_says_what_to_set():
    """The sentence names the variable."""

    async def nothing() -> None:
        return None

    credentials = Credentials(region="us-east-1", find=nothing)
    with pytest.raises(NoCredentials, match="AWS_ACCESS_KEY_ID"):
        await credentials.signer()


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("s3://plans", "https://plans.s3.us-east-1.amazonaws.com/u/"),
        ("s3://plans?region=eu-west-1", "https://plans.s3.eu-west-1.amazonaws.com/u/"),
        ("s3://plans?region=cn-north-1", "https://plans.s3.cn-north-1.amazonaws.com.cn/u/"),
        ("s3://my.plans", "https://s3.us-east-1.amazonaws.com/my.plans/u/"),
        ("s3://plans?endpoint=http://s3:8333", "http://s3:8333/plans/u/"),
        ("s3://plans/site?endpoint=https://S3:443/", "https://s3/plans/site/u/"),
        ("s3://plans?endpoint=http://s3:8333&public=https://files", "https://files/plans/u/"),
    ],
)
async def test_a_url_leads_where_clients_reach_the_bucket(text, begin):
    """Amazon's buckets are hosts, others are paths, at the public endpoint if there is one."""
    urls = S3Urls(parse_address(text), credentials_of("AKID", "secret"))
    await urls.refresh()

    assert urls.sign_part(make_upload(1), 1, length=1, checksum=None).url.startswith(begin)


async def test_only_what_can_be_verified_is_signed():
    """A checksum that S3 doesn't know or can't be read, or a life that is too long, is an error."""
    address, credentials = BucketAddress(bucket="plans"), credentials_of("AKID", "secret")
    urls = S3Urls(address, credentials)
    await urls.refresh()
    for checksum in ("md5:AAAA", "crc64nvme:AAAA", "crc64nvme:%"):
        with pytest.raises(BadChecksum):
            urls.sign_part(make_upload(1), 1, length=1, checksum=checksum)
    for life in (timedelta(minutes=1), timedelta(minutes=16)):
        with pytest.raises(ValueError, match="lives"):
            S3Urls(address, credentials, life=life)
    with pytest.raises(ValueError, match="has begun"):
        urls.sign_part(make_upload(9, part_size=5), 1, length=5, checksum=None)


@pytest.mark.parametrize(
    "text",
    [
        "plans",
        "gs://plans",
        "s3://",
        "s3://Plans",
        "s3://p",
        "s3://plans/a b",
        "s3://plans?regoin=x",
        "s3://plans?region=a/b",
        "s3://plans?endpoint=host:9000",
        "s3://plans?endpoint=http://host:9000/path",
        "s3://plans?endpoint=http://key:secret@host",
        "s3://plans?public=ftp://host",
        "s3://plans?endpoint=http://host:port",
    ],
)
def test_what_names_no_bucket_is_refused_in_a_sentence(text):
    """The sentence repeats what was said."""
    with pytest.raises(ValueError, match=r"s3://|plans"):
        parse_address(text)
