"""The listening socket, made apart from who serves on it."""

import socket

BACKLOG = 2_048  # connections that may wait to be accepted: a thousand clients come at once


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host* and *port*; raise `OSError` when that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
