"""The SDK's asynchronous client."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from laydown import wire
from laydown.client.api import Api
from laydown.client.download import download
from laydown.client.progress import Progress
from laydown.client.push import JOBS, push
from laydown.client.result import PushResult


class AsyncClient(Api):
    """The native API, and whole folders and files on top of it.

    async with AsyncClient("http://127.0.0.1:8383", token) as client:
        result = await client.push(["Handover"], project="TOWER-B")
    """

    async def push(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        project: str,
        label: str | None = None,
        jobs: int = JOBS,
        on_conflict: wire.OnConflict = "new_version",
        progress: Callable[[Progress], None] | None = None,
    ) -> PushResult:
        """Send every file below *paths* to the project of this code, and see each one through.

        The project is made when there is none. Running it again takes up where it was left:
        what arrived is not sent twice. *jobs* parts travel at once; *progress* is told several
        times a second. Raises `NoSuchPath` and `TooManyFiles` besides what every method raises.
        """
        return await push(
            self,
            paths,
            project=project,
            label=label,
            jobs=jobs,
            on_conflict=on_conflict,
            progress=progress,
        )

    async def download(
        self,
        version_id: UUID,
        target: str | os.PathLike[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> wire.Version:
        """Write a version's content to the file *target*, which appears whole and proven.

        A broken download is resumed, by the next call too. *progress* is told the bytes that
        are here. Raises `DamagedDownload`, and `OSError` for the disk.
        """
        version = await self.version(version_id)
        await download(self.transport, version, Path(target), progress=progress)
        return version
