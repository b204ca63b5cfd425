"""What a signed URL permits: one PUT of one part, for a while, and nothing else."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from laydown.domain.digest import BadChecksum
from laydown.domain.errors import BadSignature
from laydown.domain.upload import OrganizationId, Upload, UploadId
from laydown.http.bytes_keys import BadKeyFile, KeyRing
from laydown.http.bytes_urls import ByteUrls, Ticket
from laydown.ports import SignedUrl, UrlSigner
from tests.byte_support import make_upload

CRC = base64.b64encode(bytes(range(8))).decode()


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0  # seconds since 1970

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> KeyRing:
    return KeyRing.open(tmp_path / "signing-keys.json", now=clock)


@pytest.fixture
def urls(keys: KeyRing, clock: Clock) -> ByteUrls:
    return ByteUrls(keys, now=clock)


def sign(
    urls: UrlSigner, upload: Upload, number: int = 1, checksum: str | None = None
) -> SignedUrl:
    length = upload.part_size or upload.entry.size
    return urls.sign_part(upload, number, length=length, checksum=checksum)


def verify(urls: ByteUrls, url: str, headers: Mapping[str, str] | None = None) -> Ticket:
    parts = urlsplit(url)
    sent = {name.encode(): value.encode() for name, value in (headers or {}).items()}
    return urls.verify(parts.path, parts.query.encode(), sent)


def test_a_whole_file_is_permitted_as_declared(urls):
    """The permission names the upload, the attempt and the length, and no offset."""
    upload = replace(make_upload(1234), attempt=3)

    assert verify(urls, sign(urls, upload).url) == Ticket(
        organization=upload.organization,
        upload=upload.id,
        attempt=3,
        number=1,
        length=1234,
        offset=None,
    )


def test_a_part_is_permitted_at_its_offset(urls):
    """The permission says where in the file the part belongs, so that nobody need look it up."""
    upload = make_upload(100, part_size=30)

    ticket = verify(urls, urls.sign_part(upload, 4, length=10, checksum=None).url)

    assert (ticket.number, ticket.offset, ticket.length) == (4, 90, 10)


def test_a_checksum_is_bound_as_a_header_that_the_url_does_not_show(urls):
    """The header must come with the value that was granted; the value is not in the URL."""
    upload = make_upload(5)
    signed = sign(urls, upload, checksum=f"crc64nvme:{CRC}")

    assert signed.headers == {"x-amz-checksum-crc64nvme": CRC}
    assert CRC.rstrip("=") not in signed.url
    assert verify(urls, signed.url, signed.headers).length == 5
    for headers in ({}, {"x-amz-checksum-crc64nvme": CRC[::-1]}, {"x-amz-checksum-crc32c": CRC}):
        with pytest.raises(BadSignature):
            verify(urls, signed.url, headers)


@pytest.mark.parametrize(
    "checksum", ["md5:AAAA", "crc64nvme:AAAA", "crc64nvme", "crc64nvme:\r\n", ""]
)
def test_a_checksum_we_would_not_verify_is_not_signed(urls, checksum):
    """Unknown algorithms and values of the wrong length are refused when the URL is asked for."""
    with pytest.raises(BadChecksum):
        sign(urls, make_upload(5), checksum=checksum)


def _swapped(signed: str, old: object, new: object) -> str:
    assert str(old) in signed
    return signed.replace(str(old), str(new), 1)


TAMPERINGS = {
    "organization": lambda url, it: _swapped(url, it.organization, OrganizationId(uuid4())),
    "upload": lambda url, it: _swapped(url, it.id, UploadId(uuid4())),
    "attempt": lambda url, _: _swapped(url, "/7/2?", "/8/2?"),
    "part": lambda url, _: _swapped(url, "/7/2?", "/7/3?"),
    "longer life": lambda url, _: _swapped(url, "expires=18", "expires=19"),
    "length": lambda url, _: _swapped(url, "length=30", "length=31"),
    "offset": lambda url, _: _swapped(url, "offset=30", "offset=60"),
    "no offset": lambda url, _: _swapped(url, "&offset=30", ""),
    "key": lambda url, _: _swapped(url, "&key=", "&key=0"),
    "a header less": lambda url, _: _swapped(url, "&signed=x-amz-checksum-crc64nvme", ""),
    "another parameter": lambda url, _: _swapped(url, "&signature=", "&x=1&signature="),
    "a parameter twice": lambda url, _: url + "&length=1",
    "signature cut": lambda url, _: url[:-1],
    "signature extended": lambda url, _: url + "A",
    "signature changed": lambda url, _: url[:-1] + ("A" if url[-1] != "A" else "B"),
    "signature empty": lambda url, _: url.partition("&signature=")[0] + "&signature=",
    "signature missing": lambda url, _: url.partition("&signature=")[0],
    "no query": lambda url, _: url.partition("?")[0],
    "path longer": lambda url, _: _swapped(url, "/7/2?", "/7/2/?"),
    "path climbs": lambda url, _: _swapped(url, "/7/2?", "/7/../7/2?"),
    "path in capitals": lambda url, it: _swapped(url, it.id, str(it.id).upper()),
    "not UTF-8": lambda url, _: _swapped(url, "/7/2?", "/7/\u0662?"),
}  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_an_altered_url_permits_nothing(urls, tamper):
    """Whatever is changed in a URL, it is refused."""
    upload = replace(make_upload(100, part_size=30), attempt=7)
    signed = urls.sign_part(upload, 2, length=30, checksum=f"crc64nvme:{CRC}")
    assert verify(urls, signed.url, signed.headers).number == 2

    with pytest.raises(BadSignature):
        verify(urls, tamper(signed.url, upload), signed.headers)


def test_a_url_expires_when_it_says(urls, clock):
    """It is good until its last second and refused after it."""
    signed = sign(urls, make_upload(5))
    assert signed.expires_at == datetime.fromtimestamp(clock.now, UTC) + timedelta(minutes=15)

    clock.now += 15 * 60
    verify(urls, signed.url)
    clock.now += 1
    with pytest.raises(BadSignature, match="expired"):
        verify(urls, signed.url)


@pytest.mark.parametrize("minutes", [0, 1.9, 15.1, 60])
def test_a_url_lives_two_to_fifteen_minutes(keys, minutes):
    """A setting outside of that is refused at the start."""
    with pytest.raises(ValueError, match="lives"):
        ByteUrls(keys, life=timedelta(minutes=minutes))


def test_one_rotation_spoils_no_url_and_two_do(urls, keys, tmp_path, clock):
    """URLs of the previous key are good, also after a restart; those of older keys are not."""
    signed = sign(urls, make_upload(5))
    keys.rotate()
    restarted = ByteUrls(KeyRing.open(tmp_path / "signing-keys.json", now=clock), now=clock)
    verify(urls, signed.url)
    verify(restarted, signed.url)
    verify(restarted, sign(urls, make_upload(5)).url)

    keys.rotate()
    with pytest.raises(BadSignature, match="retired"):
        verify(urls, signed.url)


def test_an_old_key_is_rotated_at_the_start(tmp_path, clock):
    """After the set time, opening the ring makes a new key and keeps the one before."""
    path = tmp_path / "keys.json"
    first = KeyRing.open(path, rotate_after=timedelta(days=1), now=clock).current
    clock.now += 86_401

    ring = KeyRing.open(path, rotate_after=timedelta(days=1), now=clock)

    assert ring.current.id != first.id
    assert ring.secret(first.id) == first.secret
    assert KeyRing.open(path, rotate_after=timedelta(days=1), now=clock).current == ring.current


def test_the_key_file_is_for_its_owner_alone(keys, tmp_path):
    """Nobody else may read it, no draft of it stays, and each key is its own."""
    keys.rotate()
    (path,) = tmp_path.iterdir()

    assert path.stat().st_mode & 0o777 == 0o600
    secrets = [key["secret"] for key in json.loads(path.read_text())["keys"]]
    assert len(set(secrets)) == len(secrets) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"keys": [{"id": "a"}]}', b"\xff"])
def test_a_broken_key_file_is_an_error_with_a_name(tmp_path, content):
    """It is said at the start, instead of signing with something else."""
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(BadKeyFile):
        KeyRing.open(path)


def test_urls_are_short_and_say_where_the_door_is(keys):
    """With a base they are absolute, without one relative to it; either is under 1 KiB."""
    upload = replace(make_upload(10**12, part_size=10**9), attempt=999_999_999)
    for base in ("", "https://files.example.com/laydown/"):
        signed = ByteUrls(keys, base_url=base).sign_part(
            upload, 1000, length=10**9, checksum=f"crc64nvme:{CRC}"
        )
        assert signed.url.startswith(f"{base.rstrip('/')}/bytes/")
        assert len(signed.url) < 1024
