"""Where laydown keeps things on this machine, and whether it runs."""

import http.client
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_path

DATA_VARIABLE = "LAYDOWN_DATA"


def data_directory(env: Mapping[str, str]) -> Path:
    """Return the data directory: `LAYDOWN_DATA`, or the platform's place for a user's data."""
    given = env.get(DATA_VARIABLE)
    return Path(given) if given else user_data_path("laydown", appauthor=False)


def sign_in_link(url: str, code: str) -> str:
    """Return the link that opens a session of the server at *url* with a one-time code."""
    return f"{url}/signin?code={code}"


def answers(url: str) -> bool:
    """Say whether an API answers at *url* and can work."""
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
