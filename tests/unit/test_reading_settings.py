"""Settings are read once, from a mapping, and refuse what can't work."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from laydown.settings import BadSettings, Settings


def test_every_kind_of_setting_is_read():
    """Text, numbers, truths, times, paths and lists come out as their types."""
    settings = Settings.from_env(
        {
            "LAYDOWN_DATA": "/srv/laydown",
            "LAYDOWN_PORT": "80",
            "LAYDOWN_ACCEPT_EMPTY": "Yes",
            "LAYDOWN_JOB_LEASE": "0.5",
            "LAYDOWN_JUNK": "*.bak, ~*,",
            "LAYDOWN_DATABASE": "host=db",
            "LAYDOWN_URL": "read by the client",
            "PATH": "none of ours",
        }
    )
    assert (settings.data, settings.port) == (Path("/srv/laydown"), 80)
    assert (settings.accept_empty, settings.job_lease) == (True, timedelta(seconds=0.5))
    assert (settings.junk, settings.database) == (("*.bak", "~*"), "host=db")
    assert settings.policy.junk == ("*.bak", "~*")


def test_networks_and_origins_are_lists():
    """Proxies are networks or addresses of both families, origins what browsers send."""
    settings = Settings.from_env(
        {
            "LAYDOWN_PROXIES": "10.0.0.0/8, 192.168.7.7,2001:db8::/32",
            "LAYDOWN_ORIGINS": "https://portal.example, http://[::1]:5173,capacitor://localhost",
        }
    )
    assert settings.proxies == ("10.0.0.0/8", "192.168.7.7", "2001:db8::/32")
    assert len(settings.origins) == 3


@pytest.mark.parametrize("name", ["LAYDOWN_PROT", "LAYDOWN_", "LAYDOWN_POLICY", "LAYDOWN_CHECKED"])
def test_an_unknown_name_is_an_error(name):
    """A misspelt variable stops the process and is named."""
    with pytest.raises(BadSettings, match=f"{name}[,;]"):
        Settings.from_env({name: "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("URL_LIFE", "60"),
        ("URL_LIFE", "901"),
        ("UPLOAD_SILENCE", "900"),
        ("URL_LIFE", "nan"),
        ("URL_LIFE", "inf"),
        ("URL_LIFE", "1e300"),
        ("FLUSH", "never"),
        ("LOG_LEVEL", "loud"),
        ("ACCEPT_EMPTY", "perhaps"),
        ("WORKER_SLOTS", "0"),
        ("SINGLE_UP_TO", "-1"),
        ("SINGLE_UP_TO", "99999999999"),
        ("LARGEST_FILE", "-1"),
        ("PROXIES", "10.0.0.0/8, proxy.internal"),
        ("PROXIES", "10.0.0.1/8"),
        ("PROXIES", "*"),
        ("ORIGINS", "*"),
        ("ORIGINS", "null"),
        ("ORIGINS", "portal.example"),
        ("ORIGINS", "https://portal.example/"),
        ("ORIGINS", "https://Portal.example"),
        ("ORIGINS", "https://portal.example, https://*.portal.example"),
        ("LARGEST_FILE", "99999999999999999"),
    ],
)
def test_a_value_that_cannot_work_is_named(name, text):
    """It stops the process with a sentence that has the variable's name."""
    with pytest.raises(BadSettings, match=f"LAYDOWN_{name}"):
        Settings.from_env({f"LAYDOWN_{name}": text})


@pytest.mark.parametrize(
    "name",
    [
        each.name
        for each in fields(Settings)
        if isinstance(each.default, timedelta) and each.name != "quarantine"
    ],
)
def test_no_time_is_nothing(name):
    """A time of zero or less would spin or never end: it is refused."""
    for text in ("0", "-5"):
        with pytest.raises(BadSettings, match=f"LAYDOWN_{name.upper()}"):
            Settings.from_env({f"LAYDOWN_{name.upper()}": text})


def test_quarantine_may_be_no_time_at_all():
    """Zero deletes refused bytes at once; less than that is refused."""
    assert Settings.from_env({"LAYDOWN_QUARANTINE": "0"}).quarantine == timedelta(0)
    with pytest.raises(BadSettings, match="LAYDOWN_QUARANTINE"):
        Settings.from_env({"LAYDOWN_QUARANTINE": "-1"})


def test_a_rate_of_nothing_is_no_limit():
    """Zero switches a rate off, less is refused, and a bucket that holds nothing is refused."""
    free = Settings.from_env({"LAYDOWN_TOKEN_RATE": "0", "LAYDOWN_ORGANIZATION_RATE": "0"})
    assert (free.rate_of_token, free.rate_of_organization) == (None, None)
    for name, text in (
        ("TOKEN_RATE", "-1"),
        ("ORGANIZATION_RATE", "-1"),
        ("TOKEN_BURST", "0"),
        ("ORGANIZATION_BURST", "0"),
    ):
        with pytest.raises(BadSettings, match=f"LAYDOWN_{name}"):
            Settings.from_env({f"LAYDOWN_{name}": text})


def test_what_is_given_directly_comes_first():
    """Options of the command line win over the environment, and are checked too."""
    assert Settings.from_env({"LAYDOWN_PORT": "80"}, port=0).port == 0
    with pytest.raises(BadSettings):
        Settings.from_env({}, port=99_999)
