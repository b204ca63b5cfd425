"""Reading many files through, in threads and in order, a little ahead of who wants them."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import Executor

from laydown.client.progress import Log
from laydown.client.reading import Local, read_through
from laydown.client.walk import Found, Trouble

_GROUP_FILES = 64  # handed to a thread at once: a hand-over costs as much as reading 100 KB
_GROUP_BYTES = 8 << 20
_AHEAD = 3  # groups that are read before they are wanted


async def hashed(
    files: Iterable[Found], *, threads: Executor, stop: threading.Event, log: Log
) -> AsyncGenerator[list[Local], None]:
    """Yield files with their digests, some at a time, in order; *log* gets what can't be read."""
    loop = asyncio.get_running_loop()
    under_way: deque[asyncio.Future[list[Local | Trouble]]] = deque()
    groups = _groups(files)
    is_more = True
    while is_more or under_way:
        while is_more and len(under_way) < _AHEAD:
            group = next(groups, None)
            if group is None:
                is_more = False
                break
            under_way.append(loop.run_in_executor(threads, _read, group, stop, log))
        if under_way:
            yield _told(await under_way.popleft(), log)


def _read(group: list[Found], stop: threading.Event, log: Log) -> list[Local | Trouble]:
    return read_through(group, stop=stop, tell=log.read)


def _told(read: list[Local | Trouble], log: Log) -> list[Local]:
    log.read_files += len(read)
    files = []
    for each in read:
        if isinstance(each, Local):
            files.append(each)
        else:
            log.troubles.append(each)
    return files


def _groups(files: Iterable[Found]) -> Iterator[list[Found]]:
    group: list[Found] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.size
        if len(group) >= _GROUP_FILES or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group
