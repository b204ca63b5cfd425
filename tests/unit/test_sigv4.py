"""Our signatures, against those of the library that everybody else signs with."""

from datetime import UTC, datetime
from urllib.parse import unquote

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laydown.objects.sigv4 import EMPTY, UNSIGNED, AccessKey, Signable, Signer, encoded_path

HOST = "bucket.s3.eu-central-1.amazonaws.com"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
names = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ-_.", min_size=1, max_size=20).filter(
    lambda name: not name.lower().startswith("x-amz-")
)
header_names = st.sampled_from(
    [
        "if-none-match",
        "content-length",
        "content-type",
        "x-amz-checksum-crc64nvme",
        "x-amz-mp-object-size",
        "range",
    ]
)
header_values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40
).filter(lambda value: value.strip() != "")
paths = texts.map(lambda text: "/" + encoded_path(text))
queries = st.dictionaries(names, texts, max_size=4)
keys = st.builds(
    AccessKey,
    id=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=20),
    secret=st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789+/", min_size=20, max_size=40),
    token=st.none() | st.text("abcXYZ0189+/=", min_size=1, max_size=300),
)
requests = st.builds(
    Signable,
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    host=st.just(HOST),
    path=paths,
    query=queries,
    headers=st.dictionaries(header_names, header_values, max_size=4),
)
moments = st.integers(1_500_000_000, 2_500_000_000)
regions = st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"])
often = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def theirs(auth, key, request, region, at, *, payload=None, **options):
    """Have botocore sign the same; return its request."""
    with pytest.MonkeyPatch.context() as patch:
        # Its clock is the one thing that can't be given to it.
        moment = datetime.fromtimestamp(at, UTC)
        patch.setattr(botocore.auth, "get_current_datetime", lambda **_: moment)
        signer = auth(Credentials(key.id, key.secret, key.token), "s3", region, **options)
        if payload is not None:
            patch.setattr(signer, "payload", lambda _request: payload)
        asked = AWSRequest(
            method=request.method,
            url=f"https://{request.host}{request.path}",
            params=dict(request.query),
            headers=dict(request.headers),
        )
        if payload is not None:
            asked.headers["X-Amz-Content-SHA256"] = payload
        signer.add_auth(asked)
    return asked


@often
@given(key=keys, request=requests, region=regions, at=moments, life=st.integers(1, 900))
def test_a_url_is_signed_as_botocore_signs_it(key, request, region, at, life):
    """Signature and signed headers are the same for any request, key and time."""
    ours = Signer(key, region=region).url(request, scheme="https", at=at, life=life)

    asked = theirs(S3SigV4QueryAuth, key, request, region, at, expires=life)
    assert signature(ours) == signature(asked.url)
    assert terms(ours) == terms(asked.url)


@often
@given(
    key=keys,
    request=requests,
    region=regions,
    at=moments,
    payload=st.sampled_from([EMPTY, UNSIGNED, "ab" * 32]),
)
def test_headers_are_signed_as_botocore_signs_them(key, request, region, at, payload):
    """The authorization is the same for any request, key, time and body."""
    ours = Signer(key, region=region).headers(request, at=at, payload_sha256=payload)

    asked = theirs(S3SigV4Auth, key, request, region, at, payload=payload)
    assert ours["authorization"] == asked.headers["Authorization"]
    assert ours["x-amz-date"] == asked.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == asked.headers.get("X-Amz-Security-Token")


@given(request=requests, first=moments, later=st.integers(0, 400_000))
def test_one_signer_signs_on_any_day(request, first, later):
    """What it remembers of a second or a day never reaches another."""
    key = AccessKey(id="AKIDEXAMPLE", secret="secret")
    signer = Signer(key, region="us-east-1")
    for at in (first, first + later, first):
        fresh = Signer(key, region="us-east-1")
        for life in (120, 900):
            url = signer.url(request, scheme="https", at=at, life=life)
            assert url == fresh.url(request, scheme="https", at=at, life=life)
        assert signer.headers(request, at=at) == fresh.headers(request, at=at)


def test_the_documented_example_comes_out():
    """The GET Object example of the S3 API reference ("Signature calculations") has our result."""
    key = AccessKey(id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    request = Signable(
        method="GET",
        host="examplebucket.s3.amazonaws.com",
        path="/test.txt",
        query={},
        headers={},
    )
    at = datetime(2013, 5, 24, tzinfo=UTC).timestamp()

    url = Signer(key, region="us-east-1").url(request, scheme="https", at=at, life=86400)
    assert signature(url) == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

    ranged = Signable(
        method="GET",
        host=request.host,
        path=request.path,
        query={},
        headers={"range": "bytes=0-9"},
    )
    headers = Signer(key, region="us-east-1").headers(ranged, at=at)
    assert headers["authorization"].endswith(
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_key_does_not_show_its_secrets():
    """Neither the secret nor the token is in what logs would show."""
    shown = repr(AccessKey(id="AKID", secret="hush", token="hushhush"))
    assert "AKID" in shown
    assert "hush" not in shown


@given(texts)
def test_a_path_is_encoded_once_and_slashes_stay(text):
    """What is encoded has only what RFC 3986 leaves as it is, and reads back as the same."""
    path = encoded_path(text)
    assert path.isascii()
    assert all(each.isalnum() or each in "-_.~/%" for each in path)
    assert path.count("/") == text.count("/")
    assert unquote(path) == text


def signature(url: str) -> str:
    return url.rpartition("X-Amz-Signature=")[2]


def terms(url: str) -> list[str]:
    return sorted(url.partition("?")[2].split("&"))
