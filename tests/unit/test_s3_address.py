"""A bucket's address: read from a setting, written as one, and silent about secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laydown.objects.s3_address import BadStore, BucketAddress, Place, parse_address

SECRET = "hunter2"

services = st.sampled_from(["http://s3:8333", "https://files.example.com", "http://127.0.0.1:9000"])
addresses = st.builds(
    BucketAddress,
    bucket=st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True),
    prefix=st.just("")
    | st.from_regex(r"[A-Za-z0-9_-]{1,20}(/[A-Za-z0-9_-]{1,9})?/", fullmatch=True),
    region=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    endpoint=st.none() | services,
    public=st.none() | services,
)


@given(addresses)
def test_an_address_is_read_as_it_is_written(address):
    """What is printed can be set again and means the same."""
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://plans?region=eu-west-1", ("https", "plans.s3.eu-west-1.amazonaws.com", "/")),
        ("s3://my.plans", ("https", "s3.us-east-1.amazonaws.com", "/my.plans/")),
        ("s3://plans?endpoint=http://S3:80/", ("http", "s3", "/plans/")),
        ("s3://plans?endpoint=https://s3:80", ("https", "s3:80", "/plans/")),
        ("s3://plans?endpoint=http://[::1]:8333", ("http", "[::1]:8333", "/plans/")),
    ],
)
def test_requests_go_where_the_address_says(text, place):
    """A scheme's own port is left out, as clients leave it out of the host they sign."""
    scheme, host, path = place
    assert parse_address(text).place() == Place(scheme=scheme, host=host, path=path)


def test_clients_may_reach_it_elsewhere():
    """The public endpoint is for clients alone."""
    address = parse_address("s3://plans?endpoint=http://inside:1&public=https://outside")

    assert address.place().host == "inside:1"
    assert address.place(for_clients=True).host == "outside"


@pytest.mark.parametrize(
    "text",
    [
        f"s3://AKID:{SECRET}@plans",
        f"s3://plans?endpoint=http://AKID:{SECRET}@s3:8333",
        f"s3://plans?public=https://{SECRET}@s3",
        f"s3://plans?endpoint=http://AKID:{SECRET}@[",
        f"https://AKID:{SECRET}@plans",
        f"s3://AKID:a/{SECRET}?b//@plans",
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_not_repeated(text):
    """The sentence about it can be logged."""
    with pytest.raises(BadStore) as refused:
        parse_address(text)

    assert SECRET not in str(refused.value)
    assert "***@" in str(refused.value)
