"""The native HTTP API, a method for each thing it does."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from uuid import UUID

import msgspec

from laydown import wire
from laydown.client.bodies import chunked, decoded, encoded
from laydown.client.checksum import crc64nvme, headers_for
from laydown.client.errors import ApiError, StoreRefused
from laydown.client.follow import follow
from laydown.client.people import People
from laydown.client.sse import Event

_EXISTS = "project_exists"


class Api(People):
    """A conversation with one server; an asynchronous context manager.

    Ids are UUIDs, sizes bytes. Every method raises `ApiError` when the server refuses (with
    `Unauthorized` and `NotFound` as its kinds), `Unreachable` when it stays silent for *timeout*
    seconds (for 10 s, when it never answered), and `BadAnswer` when what answers is no laydown.
    Requests are repeated by themselves: each of them may be.
    """

    # -- projects

    async def create_project(
        self,
        code: str,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        position: wire.Position | None = None,
    ) -> wire.Project:
        """Make a project; `ApiError` with code `project_exists` when there is one already."""
        body = wire.NewProject(code=code, name=name, time_zone=time_zone, position=position)
        return await self._make("/v1/projects", body, wire.Project)

    async def change_project(
        self,
        project_id: UUID,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        position: wire.Position | None = None,
    ) -> wire.Project:
        """Change what is given of a project."""
        body = wire.ProjectChange(name=name, time_zone=time_zone, position=position)
        answer = await self.transport.call(
            "PATCH", f"/v1/projects/{project_id}", body=encoded(body)
        )
        return decoded(answer, wire.Project)

    async def project(self, project_id: UUID) -> wire.Project:
        """Return a project."""
        return await self._get(f"/v1/projects/{project_id}", wire.Project)

    async def project_of(self, code: str) -> wire.Project | None:
        """Return the project of a code, whatever its case, or None."""
        page = await self._get("/v1/projects", wire.ProjectPage, {"code": code})
        return next((each for each in page.items if each.code.casefold() == code.casefold()), None)

    def projects(self) -> AsyncIterator[wire.Project]:
        """Yield every project, by code."""
        return self._pages("/v1/projects", wire.ProjectPage)

    async def ensure_project(self, code: str) -> wire.Project:
        """Return the project of a code; it is made when there is none."""
        while (found := await self.project_of(code)) is None:
            try:
                return await self.create_project(code)
            except ApiError as error:
                if error.code != _EXISTS:
                    raise
        return found

    async def usage(self, project_id: UUID | None = None) -> wire.Usage:
        """Return what the organization uses, or one of its projects, with its quota."""
        return await self._get(f"{_place(project_id)}/usage", wire.Usage)

    async def quota(self, project_id: UUID | None = None) -> wire.Quota:
        """Return the organization's quota, or a project's."""
        return await self._get(f"{_place(project_id)}/quotas", wire.Quota)

    async def set_quota(self, quota: wire.Quota, project_id: UUID | None = None) -> wire.Quota:
        """Set the organization's quota, or a project's, over the one there is."""
        path = f"{_place(project_id)}/quotas"
        answer = await self.transport.call("PUT", path, body=encoded(quota))
        return decoded(answer, wire.Quota)

    # -- deliveries

    async def declare(
        self,
        project_id: UUID,
        *,
        reference: str,
        entries: Sequence[wire.Entry],
        label: str | None = None,
        on_conflict: wire.OnConflict = "new_version",
    ) -> wire.Declared:
        """Declare files in the open batch of *reference*, which is made when there is none.

        Any number of entries; the verdicts come in their order. Declaring one again says what
        is left to do about it.
        """
        chunks = chunked(entries)
        head = {"reference": reference, "label": label, "on_conflict": on_conflict}
        path = f"/v1/projects/{project_id}/batches"
        declared = await self._declare(path, head, next(chunks, []))
        verdicts = list(declared.verdicts)
        for chunk in chunks:
            declared = await self._declare(f"/v1/batches/{declared.batch.id}/entries", {}, chunk)
            verdicts.extend(declared.verdicts)
        return wire.Declared(batch=declared.batch, verdicts=verdicts)

    async def declare_more(
        self, batch_id: UUID, entries: Sequence[wire.Entry]
    ) -> Sequence[wire.Verdict]:
        """Declare more files, any number; `ApiError` with code `batch_closed` when it is."""
        verdicts: list[wire.Verdict] = []
        for chunk in chunked(entries):
            declared = await self._declare(f"/v1/batches/{batch_id}/entries", {}, chunk)
            verdicts.extend(declared.verdicts)
        return verdicts

    async def grants(
        self, batch_id: UUID, uploads: Sequence[wire.WantedUpload] = (), *, limit: int = 64
    ) -> Sequence[wire.UploadGrant]:
        """Return URLs for parts of *uploads*, or of whichever come next; at most *limit* parts."""
        body = wire.GrantRequest(limit=limit, uploads=uploads)
        path = f"/v1/batches/{batch_id}/grants"
        return (await self._post(path, body, wire.Grants)).uploads

    async def put_part(self, grant: wire.PartGrant, data: bytes) -> None:
        """Send a part to where *grant* says; repeated while that helps.

        Raises `StoreRefused` when a store does not take it.
        """
        headers = headers_for(grant, len(data), crc64nvme(data))
        url = self.transport.resolve(grant.url)
        try:
            await self.transport.ask(grant.method, url, body=data, headers=headers)
        except StoreRefused as error:
            if error.status != HTTPStatus.PRECONDITION_FAILED:  # it is there already
                raise

    async def report_progress(self, batch_id: UUID, sent: Mapping[UUID, int]) -> None:
        """Say how many bytes of uploads have gone to a store, for others to see; at most 5,000."""
        uploads = [wire.SentBytes(id=each, sent_bytes=count) for each, count in sent.items()]
        body = encoded(wire.ProgressReport(uploads=uploads))
        await self.transport.call("POST", f"/v1/batches/{batch_id}/progress", body=body)

    async def complete(
        self, batch_id: UUID, upload_ids: Sequence[UUID]
    ) -> Sequence[wire.Completion]:
        """Say that every part of these uploads was sent; at most 5,000.

        Needed for those of several parts, and for those whose grant says `needs_completion`.
        """
        body = wire.CompletionRequest(uploads=[wire.SentUpload(id=each) for each in upload_ids])
        path = f"/v1/batches/{batch_id}/completions"
        return (await self._post(path, body, wire.Completions)).uploads

    async def batch(self, batch_id: UUID) -> wire.Batch:
        """Return a batch in numbers."""
        return await self._get(f"/v1/batches/{batch_id}", wire.Batch)

    def batches(self, *, project_id: UUID | None = None) -> AsyncIterator[wire.Batch]:
        """Yield batches, newest first."""
        return self._pages("/v1/batches", wire.BatchPage, {"project": project_id})

    async def close_batch(self, batch_id: UUID) -> wire.Batch:
        """Say that no more files will be declared; what is under way still arrives."""
        return await self._post(f"/v1/batches/{batch_id}/close", None, wire.Batch)

    async def cancel_batch(self, batch_id: UUID) -> wire.Batch:
        """Take back whatever of a batch has not arrived."""
        return await self._post(f"/v1/batches/{batch_id}/cancel", None, wire.Batch)

    async def retry_batch(self, batch_id: UUID) -> int:
        """Try again what failed or expired or was damaged on its way; return how many that are."""
        return (await self._post(f"/v1/batches/{batch_id}/retry", None, wire.Retried)).uploads

    def uploads(
        self,
        batch_id: UUID,
        *,
        state: wire.UploadState | None = None,
        reason: str | None = None,
        text: str | None = None,
    ) -> AsyncIterator[wire.Upload]:
        """Yield uploads of a batch in order of declaration; *text* occurs in their paths."""
        query = {"state": state, "reason": reason, "q": text}
        return self._pages(f"/v1/batches/{batch_id}/uploads", wire.UploadPage, query)

    async def upload(self, upload_id: UUID) -> wire.Upload:
        """Return an upload."""
        return await self._get(f"/v1/uploads/{upload_id}", wire.Upload)

    async def cancel_upload(self, upload_id: UUID) -> wire.Upload:
        """Take back an upload that has not arrived."""
        answer = await self.transport.call("DELETE", f"/v1/uploads/{upload_id}")
        return decoded(answer, wire.Upload)

    async def timeline(self, upload_id: UUID) -> wire.Timeline:
        """Return everything that happened to an upload."""
        return await self._get(f"/v1/uploads/{upload_id}/timeline", wire.Timeline)

    async def receipt(self, batch_id: UUID) -> wire.Receipt:
        """Return the ledger of a batch, a row for each file."""
        return await self._get(f"/v1/batches/{batch_id}/receipt", wire.Receipt)

    def receipt_csv(self, batch_id: UUID) -> AsyncGenerator[bytes, None]:
        """Yield the ledger of a batch as CSV, in pieces; `BrokenOff` when it ends too early."""
        return self._pieces(f"/v1/batches/{batch_id}/receipt.csv")

    def events(
        self, batch_id: UUID, *, last_event_id: int | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield what happens in a batch until it is closed and settled.

        Begins with a `Snapshot`, or with what came after *last_event_id*. A broken stream is
        taken up where it broke: nothing is lost, nothing told twice. Close it (`aclosing`) when
        you leave before its end.
        """
        return follow(self.transport, batch_id, last_event_id=last_event_id)

    # -- what a project holds

    def documents(
        self,
        project_id: UUID,
        *,
        under: str | None = None,
        text: str | None = None,
        kind: str | None = None,
    ) -> AsyncIterator[wire.Document]:
        """Yield documents by path; *under* is a folder or a document's whole path."""
        query = {"path": under, "q": text, "kind": kind}
        return self._pages(f"/v1/projects/{project_id}/documents", wire.DocumentPage, query)

    def folder(self, project_id: UUID, path: str = "") -> AsyncIterator[wire.Child]:
        """Yield what lies directly in a folder, by path."""
        query = {"path": path or None}
        return self._pages(f"/v1/projects/{project_id}/folder", wire.FolderPage, query)

    async def document(self, document_id: UUID) -> wire.Document:
        """Return a document with its current version."""
        return await self._get(f"/v1/documents/{document_id}", wire.Document)

    def versions(self, document_id: UUID) -> AsyncIterator[wire.Version]:
        """Yield the versions of a document, newest first."""
        return self._pages(f"/v1/documents/{document_id}/versions", wire.VersionPage)

    async def version(self, version_id: UUID) -> wire.Version:
        """Return a version."""
        return await self._get(f"/v1/versions/{version_id}", wire.Version)

    # -- operations

    async def rescan(self, project_id: UUID, *, under: str | None = None) -> int:
        """Have what a project holds scanned for malware again; return how many contents.

        *under* is a folder or a document's whole path. Raises `ApiError` with the
        code `no_scanner` when the server has none that it can ask.
        """
        asked = wire.RescanRequest(path=under)
        answer = await self._post(f"/v1/projects/{project_id}/rescan", asked, wire.Rescan)
        return answer.files

    async def jobs(
        self, *, state: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> wire.JobPage:
        """Return a page of jobs, oldest first, and how many there are in each state."""
        query = {"state": state, "limit": str(limit), "cursor": cursor}
        return await self._get("/v1/operations/jobs", wire.JobPage, query)

    async def overview(self) -> wire.OperationsOverview:
        """Return how uploads fare: the queue, and the last hour."""
        return await self._get("/v1/operations/overview", wire.OperationsOverview)

    async def stuck(self, *, limit: int = 100, cursor: str | None = None) -> wire.StuckPage:
        """Return a page of files that move no more, and how many there are."""
        query = {"limit": str(limit), "cursor": cursor}
        return await self._get("/v1/operations/stuck", wire.StuckPage, query)

    async def replay_job(self, job_id: UUID) -> None:
        """Let a dead job run again."""
        await self.transport.call("POST", f"/v1/operations/jobs/{job_id}/replay")

    async def discard_job(self, job_id: UUID) -> None:
        """Forget a dead job."""
        await self.transport.call("DELETE", f"/v1/operations/jobs/{job_id}")

    async def health(self) -> wire.Health:
        """Return what the server says of itself, well or not."""
        attempt = 0
        while True:
            try:
                answer = await self.transport.once("GET", self.transport.resolve("/readyz"))
            except Exception as error:  # noqa: BLE001 - what is no broken connection comes back
                await self.transport.broken(attempt, error)
                attempt += 1
            else:
                self.transport.heard()
                return decoded(answer, wire.Health)

    # -- how

    async def _declare(
        self, path: str, head: Mapping[str, object], entries: Sequence[bytes]
    ) -> wire.Declared:
        body = {**head, "entries": [msgspec.Raw(entry) for entry in entries]}
        return await self._post(path, body, wire.Declared)


def _place(project_id: UUID | None) -> str:
    """Return where a project is, or with none the organization."""
    return "/v1" if project_id is None else f"/v1/projects/{project_id}"
