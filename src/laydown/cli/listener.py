"""The socket the API listens on, made before anything else so that a taken port is told at once."""

import errno
from socket import socket

from laydown.http.listening import listen
from laydown.settings import BadSettings, Settings

LISTENER_VARIABLE = "LAYDOWN_LISTENER_FD"
"""Names the listening socket that the API inherits, so that a restart of it refuses nobody."""

WORKER_LISTENER_VARIABLE = "LAYDOWN_WORKER_LISTENER_FD"
"""Names the listening socket that the worker of `laydown up` inherits for its pages."""

WORKER_PAGE_VARIABLE = "LAYDOWN_WORKER_PAGE"
"""Tells the API of `laydown up` the port of this machine at which the worker serves them."""


def listen_for_worker(settings: Settings) -> socket | None:
    """Return a socket for a worker's pages; None where nothing is set.

    Raises `BadSettings` for an address that can't be had.
    """
    place = settings.worker_page
    if place is None:
        return None
    try:
        return listen(*place)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadSettings(
            f"LAYDOWN_WORKER_METRICS: nothing can listen at {settings.worker_metrics} ({why})"
        ) from error


def listen_as(settings: Settings) -> socket:
    """Return a socket that listens where the settings say; raise `BadSettings` when it can't."""
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise BadSettings(_why_not_there(error, settings)) from error


def _why_not_there(error: OSError, settings: Settings) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {settings.port} of {settings.host} is taken: stop the program that listens "
                "there, or choose another port with --port (0: any that is free)"
            )
        case errno.EACCES:
            return f"port {settings.port} is for the system alone: choose one from 1024 with --port"
        case _:
            why = (error.strerror or str(error)).lower()
            return f"{settings.host} is no address of this machine ({why}): correct --host"
