"""What is said of a bucket that can't be used, and what is set on one that can."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from laydown.objects import s3_bucket
from laydown.objects.s3 import open_s3
from laydown.objects.s3_address import BadStore, BucketAddress
from laydown.objects.s3_bucket import BucketMissing, verify
from laydown.objects.s3_http import S3Client, connected
from laydown.objects.s3_rules import (
    aborts_after,
    deletes_rejected,
    lets_browsers_send,
    with_cors,
    with_life_cycle,
)
from tests.byte_support import make_upload, serving
from tests.s3_support import Bucket, address_of, checksum_of, credentials_of, opened_bucket

pytestmark = pytest.mark.distributed

ORIGIN = "https://console.example"


@pytest.fixture
async def bucket(seaweed) -> AsyncIterator[Bucket]:
    async with opened_bucket(seaweed) as bucket:
        yield bucket


@asynccontextmanager
async def client_of(
    address: BucketAddress, access_key: str, secret_key: str, **settings: Any
) -> AsyncIterator[S3Client]:
    async with connected() as session:
        yield S3Client(address, credentials_of(access_key, secret_key), session, **settings)


async def test_a_bucket_that_is_there_is_well(bucket):
    """Nothing is raised, and nothing is changed."""
    await verify(bucket.client)


async def test_a_missing_bucket_says_what_makes_it(seaweed):
    """It is told apart from everything else, with its name and the command."""
    address = address_of(seaweed, "not-made-yet")
    async with client_of(address, seaweed.access_key, seaweed.secret_key) as client:
        with pytest.raises(BucketMissing, match=r"no bucket not-made-yet.*doctor --fix"):
            await verify(client)


async def test_wrong_credentials_are_named(bucket, seaweed):
    """A key that is not known and a secret that doesn't fit are two sentences."""
    address = bucket.client.address
    async with client_of(address, "AKIANOBODY", seaweed.secret_key) as client:
        with pytest.raises(BadStore, match="AWS_ACCESS_KEY_ID"):
            await verify(client)
    async with client_of(address, seaweed.access_key, "wrong") as client:
        with pytest.raises(BadStore, match="AWS_SECRET_ACCESS_KEY"):
            await verify(client)


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_wrong_clock_is_named(bucket, seaweed, hours: int):
    """A signature of another time is about the clock, not about keys."""
    keys = (seaweed.access_key, seaweed.secret_key)

    def shifted() -> float:
        return time.time() + hours * 3600

    async with client_of(bucket.client.address, *keys, now=shifted) as client:
        with pytest.raises(BadStore, match="clock"):
            await verify(client)


async def test_where_nothing_listens_the_endpoint_is_named(bucket):
    """A connection that is refused is about the endpoint."""
    address = replace(bucket.client.address, endpoint="http://127.0.0.1:1")
    async with client_of(address, "AKID", "secret", attempts=2) as client:
        with pytest.raises(BadStore, match="endpoint"):
            await verify(client)


@pytest.mark.parametrize("status", [200, 404, 302, 401])
async def test_what_is_not_s3_is_named(bucket, status):
    """A web server that answers with its own pages is about the endpoint."""

    async def page(_scope, _receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>Hello</html>"})

    async with serving(page) as port:
        address = replace(bucket.client.address, endpoint=f"http://127.0.0.1:{port}")
        async with client_of(address, "AKID", "secret", attempts=2) as client:
            with pytest.raises(BadStore, match="endpoint"):
                await verify(client)


async def test_opening_asks_nothing_and_reads_the_chain(seaweed, monkeypatch):
    """A store that is away keeps nobody from starting; keys come from the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    async with open_s3(
        "s3://plans?endpoint=http://127.0.0.1:1", life=timedelta(minutes=2)
    ) as opened:
        await opened.urls.refresh()
        signed = opened.urls.sign_part(make_upload(1), 1, length=1, checksum=None)
        assert seaweed.access_key in signed.url
    with pytest.raises(BadStore):
        async with open_s3("s3://", life=timedelta(minutes=2)):
            pass


async def test_fixing_makes_a_bucket_that_is_well(seaweed):
    """It is made once, and then lacks nothing; fixing again changes nothing."""
    address = address_of(seaweed, "made-by-fix")
    async with client_of(address, seaweed.access_key, seaweed.secret_key) as client:
        made, *findings = await s3_bucket.fix(client, origins=[ORIGIN])
        assert "made" in made.sentence
        assert [each.sentence for each in findings if not each.is_well] == []

        again = await s3_bucket.fix(client, origins=[ORIGIN])
        assert list(again) == findings


async def test_a_bare_bucket_lacks_what_fixing_sets(bucket):
    """Each thing that is missing is a finding with a remedy."""
    findings = await s3_bucket.check(bucket.client, origins=[ORIGIN])

    missing = [each for each in findings if not each.is_well]
    assert len(missing) == 3
    assert all("--fix" in each.remedy for each in missing)


async def test_what_others_set_on_a_bucket_stays(bucket):
    """Fixing adds our rules to theirs, and replaces only our own."""
    name = bucket.client.address.bucket
    theirs = {
        "ID": "theirs",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 3},
    }
    statement = (
        '{"Version": "2012-10-17", "Statement": [{"Sid": "Theirs", "Effect": "Deny", '
        f'"Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{name}/x/*"}}]}}'
    )
    with bucket.botocore() as s3:
        s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [theirs]}
        )
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://theirs.example"]}
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
        s3.put_bucket_policy(Bucket=name, Policy=statement)

        for days in (9, 40):
            await s3_bucket.fix(bucket.client, origins=[ORIGIN], rejected_for=timedelta(days=days))

        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert [rule["ID"] for rule in rules].count("theirs") == 1
        assert len({rule["ID"] for rule in rules}) == len(rules) == 4
        [rejected] = [rule for rule in rules if rule["ID"] == "laydown-rejected"]
        assert rejected["Expiration"]["Days"] == 40
        origins = [rule["AllowedOrigins"] for rule in s3.get_bucket_cors(Bucket=name)["CORSRules"]]
        assert origins == [["https://theirs.example"], [ORIGIN]]
        assert "Theirs" in s3.get_bucket_policy(Bucket=name)["Policy"]


async def test_browsers_may_send_after_fixing(bucket):
    """The preflight of a signed PUT is allowed for our origin only, and the ETag can be read."""
    await s3_bucket.fix(bucket.client, origins=[ORIGIN])
    upload = make_upload(4)
    signed = bucket.urls.sign_part(upload, 1, length=4, checksum=checksum_of(b"plan"))
    asking = {
        "access-control-request-method": "PUT",
        "access-control-request-headers": ",".join(sorted(signed.headers)),
    }

    allowed = await bucket.ask("OPTIONS", signed.url, headers={"origin": ORIGIN, **asking})
    assert allowed.status == 200
    other = {"origin": "https://else.example", **asking}
    assert (await bucket.ask("OPTIONS", signed.url, headers=other)).status == 403
    answer = await bucket.send(signed, b"plan", origin=ORIGIN)
    assert "etag" in answer.headers["Access-Control-Expose-Headers"].lower()


async def test_a_url_given_before_reads_nothing_after_quarantine(bucket):
    """The bucket's own policy denies it, to everybody; and to us the object is not there."""
    await s3_bucket.fix(bucket.client)
    upload, other = await bucket.put_object(b"virus"), await bucket.put_object(b"plan")
    with bucket.botocore() as s3:
        urls = {
            each: s3.generate_presigned_url(
                "get_object", {"Bucket": bucket.client.address.bucket, "Key": each.key}
            )
            for each in (upload, other)
        }
    await bucket.store.quarantine(upload.key)

    deadline = time.monotonic() + 10  # the engine takes up a policy within a second
    while (await bucket.ask("GET", urls[upload])).status == 200:
        assert time.monotonic() < deadline
    assert (await bucket.ask("GET", urls[upload])).status == 403
    assert (await bucket.ask("GET", urls[other])).body == b"plan"
    assert await bucket.store.size(upload.key) is None
    assert await bucket.store.fingerprints([upload.key]) == {}
    await bucket.store.discard(upload.key)
    assert [each.key async for each in bucket.store.objects()] == [other.key]


def test_rules_are_read_as_they_are_written():
    """What our own rules say is what is looked for, and less than it is not enough."""
    cors = fromstring(_bare(with_cors(None, [ORIGIN])))
    assert lets_browsers_send(cors, [ORIGIN])
    assert not lets_browsers_send(cors, ["https://else.example"])
    assert lets_browsers_send(fromstring(_bare(with_cors(None, ["*"]))), [ORIGIN])

    spans = {"stale_after": timedelta(days=7), "rejected_for": timedelta(hours=1)}
    rules = fromstring(_bare(with_life_cycle(None, "u/", **spans)))
    assert aborts_after(rules, "u/") == 7
    assert aborts_after(rules, "site/u/") is None
    assert deletes_rejected(rules, "u/")
    assert not deletes_rejected(rules, "site/u/")
    (tag,) = rules.iter("Tag")
    for value in tag.iter("Value"):
        value.text = "accepted"
    assert not deletes_rejected(rules, "u/")


def _bare(document: bytes) -> str:
    return document.decode().replace(' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', "")
