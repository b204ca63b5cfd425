"""Fetching a version: resumed when it breaks, proven before it appears."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import aiohttp

from laydown import wire
from laydown.client.errors import DamagedDownload
from laydown.client.transport import Transport, is_broken

_PIECE = 1 << 20  # bytes read and written at once
_MOST_BYTES = 200  # of the name in that of the partial file; a file system takes 255 in all


async def download(
    transport: Transport,
    version: wire.Version,
    target: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the content of *version* to *target*, which appears whole and proven, or not at all.

    What an earlier try left beside it is taken up. *progress* is told the bytes that are here.
    Raises `DamagedDownload` when the SHA-256 is not the version's, `OSError` for the disk.
    """
    beginning = os.fsencode(target.name)[:_MOST_BYTES].decode(errors="ignore")
    partial = target.with_name(f".{beginning}.{version.id.hex[:12]}.part")
    with await asyncio.to_thread(partial.open, "ab") as file:
        attempt = 0
        while (have := file.tell()) < version.size:
            try:
                await _more(transport, version, file, progress)
            except Exception as error:
                if not is_broken(error):
                    raise
                attempt = 0 if file.tell() > have else attempt + 1
                await transport.broken(attempt, error)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    if await asyncio.to_thread(_sha256, partial) != version.sha256:
        partial.unlink()
        raise DamagedDownload(
            f"what came is not {version.path}, version {version.number}: its SHA-256 differs; "
            "nothing was kept, try again"
        )
    partial.replace(target)


async def _more(
    transport: Transport,
    version: wire.Version,
    file: BinaryIO,
    progress: Callable[[int], None] | None,
) -> None:
    have = file.tell()
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    path = f"/v1/versions/{version.id}/content"
    async with transport.content(path, headers=headers) as answer:
        if have and answer.status != HTTPStatus.PARTIAL_CONTENT:
            file.truncate(0)
        async for piece in answer.content.iter_chunked(_PIECE):
            await asyncio.to_thread(file.write, piece)
            if progress is not None:
                progress(file.tell())
    if file.tell() < version.size:
        raise aiohttp.ClientPayloadError("the connection ended early")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
