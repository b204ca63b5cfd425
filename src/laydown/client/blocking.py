"""The SDK's blocking client: the asynchronous one, on a loop and a thread of its own."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from laydown import wire
from laydown.client.blocking_people import BlockingPeople
from laydown.client.progress import Progress
from laydown.client.push import JOBS
from laydown.client.result import PushResult
from laydown.client.sse import Event


class Client(BlockingPeople):
    """`AsyncClient` for code that blocks; a context manager, usable from any thread.

        with Client("http://127.0.0.1:8383", token) as client:
            result = client.push(["Handover"], project="TOWER-B")

    Every method does and raises what the one of the same name of `AsyncClient` does; iterators
    are ordinary ones. `progress` is called on the client's own thread.
    """

    # -- projects

    def create_project(
        self,
        code: str,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        position: wire.Position | None = None,
    ) -> wire.Project:
        """Make a project."""
        making = self._async.create_project(code, name=name, time_zone=time_zone, position=position)
        return self._run(making)

    def change_project(
        self,
        project_id: UUID,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        position: wire.Position | None = None,
    ) -> wire.Project:
        """Change what is given of a project."""
        changing = self._async.change_project(
            project_id, name=name, time_zone=time_zone, position=position
        )
        return self._run(changing)

    def project(self, project_id: UUID) -> wire.Project:
        """Return a project."""
        return self._run(self._async.project(project_id))

    def project_of(self, code: str) -> wire.Project | None:
        """Return the project of a code, or None."""
        return self._run(self._async.project_of(code))

    def projects(self) -> Iterator[wire.Project]:
        """Yield every project."""
        return self._each(self._async.projects())

    def ensure_project(self, code: str) -> wire.Project:
        """Return the project of a code; it is made when there is none."""
        return self._run(self._async.ensure_project(code))

    def usage(self, project_id: UUID | None = None) -> wire.Usage:
        """Return what the organization uses, or one of its projects."""
        return self._run(self._async.usage(project_id))

    def quota(self, project_id: UUID | None = None) -> wire.Quota:
        """Return the organization's quota, or a project's."""
        return self._run(self._async.quota(project_id))

    def set_quota(self, quota: wire.Quota, project_id: UUID | None = None) -> wire.Quota:
        """Set the organization's quota, or a project's."""
        return self._run(self._async.set_quota(quota, project_id))

    # -- deliveries

    def push(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        project: str,
        label: str | None = None,
        jobs: int = JOBS,
        on_conflict: wire.OnConflict = "new_version",
        progress: Callable[[Progress], None] | None = None,
    ) -> PushResult:
        """Send every file below *paths* to a project, and see each one through."""
        pushing = self._async.push(
            paths,
            project=project,
            label=label,
            jobs=jobs,
            on_conflict=on_conflict,
            progress=progress,
        )
        return self._run(pushing)

    def declare(
        self,
        project_id: UUID,
        *,
        reference: str,
        entries: Sequence[wire.Entry],
        label: str | None = None,
        on_conflict: wire.OnConflict = "new_version",
    ) -> wire.Declared:
        """Declare files in the open batch of *reference*."""
        declaring = self._async.declare(
            project_id,
            reference=reference,
            entries=entries,
            label=label,
            on_conflict=on_conflict,
        )
        return self._run(declaring)

    def declare_more(self, batch_id: UUID, entries: Sequence[wire.Entry]) -> Sequence[wire.Verdict]:
        """Declare more files."""
        return self._run(self._async.declare_more(batch_id, entries))

    def grants(
        self, batch_id: UUID, uploads: Sequence[wire.WantedUpload] = (), *, limit: int = 64
    ) -> Sequence[wire.UploadGrant]:
        """Return URLs for parts."""
        return self._run(self._async.grants(batch_id, uploads, limit=limit))

    def put_part(self, grant: wire.PartGrant, data: bytes) -> None:
        """Send a part to where *grant* says."""
        self._run(self._async.put_part(grant, data))

    def report_progress(self, batch_id: UUID, sent: Mapping[UUID, int]) -> None:
        """Say how many bytes of uploads have gone to a store."""
        self._run(self._async.report_progress(batch_id, sent))

    def complete(self, batch_id: UUID, upload_ids: Sequence[UUID]) -> Sequence[wire.Completion]:
        """Say that every part of these uploads was sent."""
        return self._run(self._async.complete(batch_id, upload_ids))

    def batch(self, batch_id: UUID) -> wire.Batch:
        """Return a batch in numbers."""
        return self._run(self._async.batch(batch_id))

    def batches(self, *, project_id: UUID | None = None) -> Iterator[wire.Batch]:
        """Yield batches, newest first."""
        return self._each(self._async.batches(project_id=project_id))

    def close_batch(self, batch_id: UUID) -> wire.Batch:
        """Say that no more files will be declared."""
        return self._run(self._async.close_batch(batch_id))

    def cancel_batch(self, batch_id: UUID) -> wire.Batch:
        """Take back whatever of a batch has not arrived."""
        return self._run(self._async.cancel_batch(batch_id))

    def retry_batch(self, batch_id: UUID) -> int:
        """Try again what failed, expired or was damaged on its way."""
        return self._run(self._async.retry_batch(batch_id))

    def uploads(
        self,
        batch_id: UUID,
        *,
        state: wire.UploadState | None = None,
        reason: str | None = None,
        text: str | None = None,
    ) -> Iterator[wire.Upload]:
        """Yield uploads of a batch."""
        return self._each(self._async.uploads(batch_id, state=state, reason=reason, text=text))

    def upload(self, upload_id: UUID) -> wire.Upload:
        """Return an upload."""
        return self._run(self._async.upload(upload_id))

    def cancel_upload(self, upload_id: UUID) -> wire.Upload:
        """Take back an upload that has not arrived."""
        return self._run(self._async.cancel_upload(upload_id))

    def timeline(self, upload_id: UUID) -> wire.Timeline:
        """Return everything that happened to an upload."""
        return self._run(self._async.timeline(upload_id))

    def events(self, batch_id: UUID, *, last_event_id: int | None = None) -> Iterator[Event]:
        """Yield what happens in a batch until it is closed and settled."""
        return self._each(self._async.events(batch_id, last_event_id=last_event_id))

    def receipt(self, batch_id: UUID) -> wire.Receipt:
        """Return the ledger of a batch."""
        return self._run(self._async.receipt(batch_id))

    def receipt_csv(self, batch_id: UUID) -> Iterator[bytes]:
        """Yield the ledger of a batch as CSV, in pieces."""
        return self._each(self._async.receipt_csv(batch_id))

    # -- what a project holds

    def documents(
        self,
        project_id: UUID,
        *,
        under: str | None = None,
        text: str | None = None,
        kind: str | None = None,
    ) -> Iterator[wire.Document]:
        """Yield documents by path."""
        return self._each(self._async.documents(project_id, under=under, text=text, kind=kind))

    def folder(self, project_id: UUID, path: str = "") -> Iterator[wire.Child]:
        """Yield what lies directly in a folder."""
        return self._each(self._async.folder(project_id, path))

    def document(self, document_id: UUID) -> wire.Document:
        """Return a document."""
        return self._run(self._async.document(document_id))

    def versions(self, document_id: UUID) -> Iterator[wire.Version]:
        """Yield the versions of a document, newest first."""
        return self._each(self._async.versions(document_id))

    def version(self, version_id: UUID) -> wire.Version:
        """Return a version."""
        return self._run(self._async.version(version_id))

    def download(
        self,
        version_id: UUID,
        target: str | os.PathLike[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> wire.Version:
        """Write a version's content to the file *target*."""
        return self._run(self._async.download(version_id, target, progress=progress))

    # -- operations

    def rescan(self, project_id: UUID, *, under: str | None = None) -> int:
        """Have what a project holds scanned for malware again."""
        return self._run(self._async.rescan(project_id, under=under))

    def jobs(
        self, *, state: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> wire.JobPage:
        """Return a page of jobs."""
        return self._run(self._async.jobs(state=state, limit=limit, cursor=cursor))

    def overview(self) -> wire.OperationsOverview:
        """Return how uploads fare: the queue, and the last hour."""
        return self._run(self._async.overview())

    def stuck(self, *, limit: int = 100, cursor: str | None = None) -> wire.StuckPage:
        """Return a page of files that move no more, and how many there are."""
        return self._run(self._async.stuck(limit=limit, cursor=cursor))

    def replay_job(self, job_id: UUID) -> None:
        """Let a dead job run again."""
        self._run(self._async.replay_job(job_id))

    def discard_job(self, job_id: UUID) -> None:
        """Forget a dead job."""
        self._run(self._async.discard_job(job_id))

    def health(self) -> wire.Health:
        """Return what the server says of itself."""
        return self._run(self._async.health())
