"""Laydown's SDK: take thousands of files to a laydown server, and see what became of each.

from laydown import Client

with Client("http://127.0.0.1:8383", token) as client:
    result = client.push(["~/Handover"], project="TOWER-B")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laydown.client.aio import AsyncClient
    from laydown.client.blocking import Client
    from laydown.client.errors import (
        ApiError,
        BadAnswer,
        BrokenOff,
        ClientError,
        DamagedDownload,
        NoSuchPath,
        NotFound,
        StoreRefused,
        TooManyFiles,
        Unauthorized,
        Unreachable,
    )

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadAnswer",
    "BrokenOff",
    "Client",
    "ClientError",
    "DamagedDownload",
    "NoSuchPath",
    "NotFound",
    "StoreRefused",
    "TooManyFiles",
    "Unauthorized",
    "Unreachable",
]

_HOMES = {"AsyncClient": "aio", "Client": "blocking"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the SDK has of this name
    """Load the SDK when its first name is used: the server and `--help` do without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as late as the rest

    return getattr(import_module(f"laydown.client.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
