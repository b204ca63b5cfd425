"""Checksums in headers: read exactly, or refused with a sentence."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.digest import (
    Algorithm,
    BadChecksum,
    Checksum,
    parse_headers,
    sha256_from_hex,
)

SHA256 = hashlib.sha256(b"hello world").digest()
SHA256_BASE64 = base64.b64encode(SHA256).decode()

# The check values of the algorithms: their result for the ASCII digits 1 to 9.
CRC32C_CHECK = 0xE3069283
CRC64NVME_CHECK = 0xAE8B14860A799888


@pytest.mark.parametrize(
    ("headers", "checksum"),
    [
        ({}, None),
        ({"content-type": "application/pdf"}, None),
        (
            {"x-amz-checksum-crc32c": "4waSgw=="},
            Checksum.of_number(Algorithm.CRC32C, CRC32C_CHECK),
        ),
        (
            {"x-amz-checksum-crc64nvme": "rosUhgp5mIg="},
            Checksum.of_number(Algorithm.CRC64NVME, CRC64NVME_CHECK),
        ),
        ({"x-amz-checksum-sha256": SHA256_BASE64}, Checksum(Algorithm.SHA256, SHA256)),
        ({"x-amz-checksum-sha256": f" {SHA256_BASE64} "}, Checksum(Algorithm.SHA256, SHA256)),
        ({"content-digest": f"sha-256=:{SHA256_BASE64}:"}, Checksum(Algorithm.SHA256, SHA256)),
        (
            {"content-digest": f"sha-512=:AAAA:, sha-256=:{SHA256_BASE64}:;a=1 , md5=:AAAA:"},
            Checksum(Algorithm.SHA256, SHA256),
        ),
        (
            {"content-digest": f"sha-256=:AAAA:, sha-256=:{SHA256_BASE64}:"},
            Checksum(Algorithm.SHA256, SHA256),
        ),
        ({"content-digest": "sha-512=:AAAA:"}, None),
        ({"content-digest": ""}, None),
    ],
)
def test_a_promise_is_read_from_the_headers(headers, checksum):
    """Amazon's three headers and RFC 9530's SHA-256 are read; no promise is no error."""
    assert parse_headers(headers) == checksum


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32c": ""},
        {"x-amz-checksum-crc32c": "!!!!"},
        {"x-amz-checksum-crc32c": "4waSgw"},  # padding missing
        {"x-amz-checksum-crc32c": "4waSgw==\n4waSgw=="},
        {"x-amz-checksum-crc32c": "é"},
        {"x-amz-checksum-crc32c": "rosUhgp5mIg="},  # the length of another algorithm
        {"x-amz-checksum-sha256": SHA256.hex()},
        {"content-digest": f"sha-256={SHA256_BASE64}"},
        {"content-digest": f"sha-256=:{SHA256_BASE64}"},
        {"content-digest": f"sha-256=:{SHA256_BASE64}: x"},
        {"content-digest": "sha-256=:AAAA:"},
        {"content-digest": "garbage"},
        {"content-digest": f"sha-256=:{SHA256_BASE64}:,,"},
        {"x-amz-checksum-crc32c": "4waSgw==", "x-amz-checksum-sha256": SHA256_BASE64},
        {
            "x-amz-checksum-sha256": SHA256_BASE64,
            "content-digest": f"sha-256=:{SHA256_BASE64}:",
        },
    ],
)
def test_a_promise_that_can_not_be_read_is_refused(headers):
    """A checksum we could not verify is never taken for none."""
    with pytest.raises(BadChecksum, match=r"\w+ \w+"):
        parse_headers(headers)


@given(st.sampled_from(Algorithm), st.binary(min_size=32, max_size=32))
def test_a_checksum_survives_the_journey(algorithm, noise):
    """What is written into a header is read back equal, as bytes and as a number."""
    checksum = Checksum(algorithm, noise[: algorithm.length])
    name, value = checksum.header
    assert parse_headers({name: value}) == checksum
    assert Checksum.of_number(algorithm, checksum.number) == checksum


@given(st.text(max_size=80))
def test_any_header_is_read_or_refused(text):
    """Whatever stands in `Content-Digest`, the answer is a SHA-256, none, or `BadChecksum`."""
    try:
        checksum = parse_headers({"content-digest": text})
    except BadChecksum:
        return
    assert checksum is None or checksum.algorithm is Algorithm.SHA256


def test_checksums_match_by_algorithm_and_value():
    """Equal values of different algorithms don't match, nor do different values of one."""
    crc = Checksum.of_number(Algorithm.CRC32C, CRC32C_CHECK)
    assert crc.matches(Checksum(Algorithm.CRC32C, crc.value))
    assert not crc.matches(Checksum.of_number(Algorithm.CRC32C, CRC32C_CHECK ^ 1))
    assert not crc.matches(Checksum(Algorithm.CRC64NVME, bytes(4) + crc.value))
    assert str(crc) == "crc32c:e3069283"


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_a_number_that_does_not_fit_is_refused(number):
    """A CRC library's answer of another width is a mistake, not a truncated checksum."""
    with pytest.raises(BadChecksum, match="32 bits"):
        Checksum.of_number(Algorithm.CRC32C, number)


@pytest.mark.parametrize("text", [SHA256.hex(), SHA256.hex().upper()])
def test_a_digest_is_read_from_hexadecimal(text):
    """Either case of 64 digits is the digest."""
    assert sha256_from_hex(text) == SHA256


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        SHA256.hex()[:-1],
        f"{SHA256.hex()}0",
        f"{SHA256.hex()[:-2]}  ",
        "g" * 64,
        "\u0660" * 64,
    ],
)
def test_a_digest_that_is_no_digest_is_refused(text):
    """Other lengths, spaces and digits of other scripts are refused."""
    with pytest.raises(BadChecksum, match="64 hexadecimal digits"):
        sha256_from_hex(text)
