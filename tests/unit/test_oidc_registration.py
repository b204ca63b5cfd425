"""Settings of an identity provider: what they say, and what can't work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from laydown.bootstrap.provider import registration_of
from laydown.domain.bearers import is_from_issuer
from laydown.settings import BadSettings, Settings

SETTINGS = Settings(
    oidc_issuer="https://login.example.com/tenant",
    oidc_client_id="laydown",
    oidc_client_secret="hush",
)


def test_without_an_issuer_there_is_none():
    """A laydown that says nothing of one trusts no one's word."""
    assert registration_of(Settings()) is None


def test_the_settings_say_who_and_what():
    """What isn't said is the plain thing: tokens for the client, of the usual algorithms."""
    agreed = registration_of(SETTINGS)
    assert agreed is not None
    assert (agreed.issuer, agreed.client_id) == ("https://login.example.com/tenant", "laydown")
    assert (agreed.client_secret, agreed.audience) == ("hush", "laydown")
    assert agreed.algorithms == {"RS256", "PS256", "ES256"}
    assert agreed.skew == timedelta(minutes=1)


def test_an_audience_may_be_another_than_the_client():
    """An API with a name of its own is what tokens are for."""
    agreed = registration_of(replace(SETTINGS, oidc_audience="https://api.example.com"))
    assert agreed is not None
    assert agreed.audience == "https://api.example.com"


def test_the_secret_is_shown_nowhere():
    """Neither settings nor what is made of them show it when they are printed."""
    assert "hush" not in repr(SETTINGS)
    assert "hush" not in repr(registration_of(SETTINGS))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"oidc_issuer": None}, "OIDC_CLIENT_ID is set, but no LAYDOWN_OIDC_ISSUER"),
        ({"oidc_issuer": None, "oidc_client_id": None}, "OIDC_CLIENT_SECRET is set, but no"),
        ({"oidc_client_id": None}, "say LAYDOWN_OIDC_CLIENT_ID, too"),
        ({"oidc_algorithms": ("HS256",)}, "HS256: no algorithm that is taken"),
        ({"oidc_algorithms": ("none", "RS256")}, "none: no algorithm that is taken"),
        ({"oidc_algorithms": ()}, "no algorithm is allowed"),
        ({"oidc_issuer": "http://login.example.com"}, "does not begin with https://"),
        ({"oidc_issuer": "http://localhost.example.com"}, "does not begin with https://"),
        ({"oidc_issuer": "login.example.com"}, "is no URL"),
        ({"oidc_issuer": "https://"}, "has a host"),
        ({"oidc_issuer": "https://ann:hush@login.example.com"}, "no user name"),
        ({"oidc_issuer": "https://login.example.com:port"}, "is no URL"),
        ({"oidc_issuer": "https://[::1"}, "is no URL"),
        ({"oidc_issuer": "https://login.example.com/a b"}, "is no URL"),
        ({"oidc_issuer": "https://löwe.example.com"}, "is no URL"),
        ({"oidc_issuer": "https://login.example.com/?a=b"}, "no query"),
        ({"oidc_issuer": "https://login.example.com/#a"}, "no fragment"),
    ],
)
def test_what_cannot_work_is_named(changes, sentence):
    """A setting that names no provider stops the process, with what is wrong with it."""
    with pytest.raises(BadSettings, match=sentence) as caught:
        registration_of(replace(SETTINGS, **changes))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "issuer",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/realms/a", "https://a.b/c/"],
)
def test_an_issuer_on_this_machine_needs_no_tls(issuer):
    """Nobody is in between; elsewhere it is https."""
    agreed = registration_of(replace(SETTINGS, oidc_issuer=issuer))
    assert agreed is not None
    assert agreed.issuer == issuer


@pytest.mark.parametrize(
    ("bearer", "is_theirs"),
    [
        ("eyJhbGciOiJub25lIn0.e30.", True),
        ("eyJ.e30.c2ln", True),
        ("eyJ.a.b.c.d", True),
        ("ldn_0198aaaaaaaaaaaaaaaaaaaaaaaaaaaa_" + "A" * 43, False),
        ("", False),
        ("eyJ", False),
        ("eyJ.e30", False),
        ("eyJ.a.b.c", False),
        (".e30.c2ln", False),
        ("eyJ.e30.c2ln\n", False),
        ("eyJ.e 30.c2ln", False),
    ],
)
def test_a_bearer_is_theirs_or_ours_by_its_shape(bearer, is_theirs):
    """Three or five parts are an identity provider's; all else is for us to look at."""
    assert is_from_issuer(bearer) is is_theirs
