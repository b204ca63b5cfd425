"""Rows become domain values here, and domain values become rows; no dict travels further."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from laydown.domain.access import Role
from laydown.domain.audit import Audited, Deed
from laydown.domain.batch import Batch, OnConflict, Project
from laydown.domain.document import Blob, Document, Version
from laydown.domain.happening import Happening, Kind, Recorded
from laydown.domain.lifecycle import State
from laydown.domain.people import DropLink, Member, Token
from laydown.domain.reasons import Reason
from laydown.domain.upload import Change, Entry, OrganizationId, ProjectId, Upload
from laydown.ports import UploadRecord

_SIGN_BIT = 1 << 63
_TWO_64 = 1 << 64

_encode = msgspec.json.Encoder().encode


def json_rows(rows: Iterable[dict[str, object]]) -> str:
    """Return rows as the JSON text that `jsonb_to_recordset` reads."""
    return _encode(list(rows)).decode()


def signed(crc: int) -> int:
    """Return an unsigned 64-bit checksum as Postgres's bigint holds it."""
    return crc - _TWO_64 if crc & _SIGN_BIT else crc


def hexed(digest: bytes | None) -> str | None:
    """Return a digest as JSON carries it."""
    return None if digest is None else digest.hex()


def project_of(row: Any, organization: OrganizationId) -> Project:  # noqa: ANN401 - a row
    """Return the project of a row."""
    return Project(
        id=row.id,
        organization=organization,
        code=row.code,
        name=row.name,
        time_zone=row.time_zone,
        position=None if row.latitude is None else (row.latitude, row.longitude),
        created_at=row.created_at,
    )


def batch_of(row: Any, organization: OrganizationId) -> Batch:  # noqa: ANN401 - a row
    """Return the batch of a row."""
    return Batch(
        id=row.id,
        organization=organization,
        project=row.project_id,
        reference=row.reference,
        label=row.label,
        on_conflict=OnConflict(row.on_conflict),
        declared_by=row.declared_by,
        declared_by_name=row.declared_by_name,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def upload_of(row: Any, organization: OrganizationId) -> Upload:  # noqa: ANN401 - a row
    """Return the upload of a row."""
    entry = Entry(
        key=row.key,
        path=row.path,
        folded=row.path_folded,
        size=row.size,
        sha256=row.claimed_sha256,
        content_type=row.content_type,
        modified_at=row.modified_at,
        captured_at=row.captured_at,
        position=None if row.latitude is None else (row.latitude, row.longitude),
    )
    return Upload(
        id=row.id,
        organization=organization,
        project=row.project_id,
        batch=row.batch_id,
        entry=entry,
        state=State(row.state),
        attempt=row.attempt,
        part_size=row.part_size,
        parts=row.parts,
        reason=None if row.reason is None else Reason(row.reason),
        detail=row.detail,
        leader=row.leader_id,
        received=row.received,
        sha256=row.sha256,
        object_key=row.object_key,
        version=row.version_id,
        multipart_id=row.multipart_id,
    )


def record_of(row: Any, organization: OrganizationId) -> UploadRecord:  # noqa: ANN401 - a row
    """Return the upload of a row with what only the ledger knows of it."""
    return UploadRecord(
        upload=upload_of(row, organization),
        order=row.ordinal,
        declared_at=row.declared_at,
        moved_at=row.moved_at,
        version_number=row.version_number,
        scanned_by=row.scanned_by,
        is_infected=row.is_infected,
    )


def blob_of(row: Any, organization: OrganizationId) -> Blob:  # noqa: ANN401 - a row
    """Return the blob of a row whose id is named `id` or `blob_id`."""
    return Blob(
        id=row.blob_id if hasattr(row, "blob_id") else row.id,
        organization=organization,
        sha256=row.sha256,
        size=row.size,
        kind=row.kind,
        media_type=row.media_type,
        object_key=row.object_key,
        store_version=row.store_version,
        scanned_by=row.scanned_by,
        is_infected=getattr(row, "is_infected", False),
        is_missing=getattr(row, "is_missing", False),
    )


def version_of(
    row: Any,  # noqa: ANN401 - a row
    organization: OrganizationId,
    *,
    is_current: bool,
) -> Version:
    """Return the version of a row."""
    return Version(
        id=row.version_id,
        document=row.document_id,
        project=row.project_id,
        path=row.path,
        number=row.number,
        is_current=is_current,
        upload=row.upload_id,
        blob=blob_of(row, organization),
        created_at=row.created_at,
    )


def document_of(row: Any, organization: OrganizationId) -> Document:  # noqa: ANN401 - a row
    """Return the document of a row, with its current version."""
    return Document(
        id=row.document_id,
        project=row.project_id,
        path=row.path,
        versions=row.last_number,
        current=version_of(row, organization, is_current=True),
    )


def recorded_of(row: Any, organization: OrganizationId) -> Recorded:  # noqa: ANN401 - a row
    """Return the event of a row."""
    return Recorded(
        organization=organization,
        number=row.number,
        at=row.at,
        happening=Happening(
            kind=Kind(row.kind),
            batch=row.batch_id,
            upload=row.upload_id,
            state=None if row.state is None else State(row.state),
            reason=None if row.reason is None else Reason(row.reason),
            detail=row.detail,
        ),
        key=row.key,
        path=row.path,
    )


def entry_row(entry: Entry) -> dict[str, object]:
    """Return an entry as the columns it has in `uploads`."""
    latitude, longitude = entry.position or (None, None)
    return {
        "path": entry.path,
        "folded": entry.folded,
        "size": entry.size,
        "claimed": hexed(entry.sha256),
        "content_type": entry.content_type,
        "modified_at": entry.modified_at,
        "captured_at": entry.captured_at,
        "latitude": latitude,
        "longitude": longitude,
    }


def upload_row(upload: Upload) -> dict[str, object]:
    """Return an upload as the columns it is declared with."""
    return entry_row(upload.entry) | {
        "id": upload.id,
        "key": upload.entry.key,
        "attempt": upload.attempt,
        "state": upload.state,
        "reason": upload.reason,
        "detail": upload.detail,
        "part_size": upload.part_size,
        "parts": upload.parts,
        "leader": upload.leader,
        "proven": hexed(upload.sha256),
        "version": upload.version,
    }


def change_row(change: Change) -> dict[str, object]:
    """Return a move as the columns it changes."""
    now = change.now
    return {
        "id": now.id,
        "was": change.was,
        "was_attempt": change.was_attempt,
        "state": now.state,
        "reason": now.reason,
        "detail": now.detail,
        "attempt": now.attempt,
        "leader": now.leader,
        "received": now.received,
        "sha256": hexed(now.sha256),
        "object_key": now.object_key,
        "version": now.version,
        "multipart": now.multipart_id,
    }


def happening_row(happening: Happening) -> dict[str, object]:
    """Return what happened as the columns of an event."""
    return {
        "kind": happening.kind,
        "batch": happening.batch,
        "upload": happening.upload,
        "state": happening.state,
        "reason": happening.reason,
        "detail": happening.detail,
    }


def project_roles_of(row: Any) -> Mapping[ProjectId, Role]:  # noqa: ANN401 - a row
    """Return a member's roles in projects, which a row has as a JSON object."""
    given = row.project_roles or {}
    return {ProjectId(UUID(project)): Role(role) for project, role in given.items()}


def member_of(row: Any, organization: OrganizationId) -> Member:  # noqa: ANN401 - a row
    """Return the member of a row."""
    return Member(
        id=row.id,
        organization=organization,
        name=row.name,
        email=row.email,
        subject=None if row.subject is None else (row.issuer, row.subject),
        role=None if row.role is None else Role(row.role),
        project_roles=project_roles_of(row),
        created_at=row.created_at,
    )


def token_of(row: Any) -> Token:  # noqa: ANN401 - a row
    """Return the token of a row."""
    return Token(
        id=row.id,
        member=row.member_id,
        name=row.name,
        most=None if row.most is None else Role(row.most),
        only=row.only_project_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def link_of(row: Any, organization: OrganizationId) -> DropLink:  # noqa: ANN401 - a row
    """Return the drop link of a row."""
    return DropLink(
        id=row.id,
        organization=organization,
        project=row.project_id,
        folder=row.folder,
        label=row.label,
        most_files=row.most_files,
        most_bytes=row.most_bytes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def audited_of(row: Any) -> Audited:  # noqa: ANN401 - a row
    """Return the line of the audit of a row."""
    return Audited(
        id=row.id,
        at=row.at,
        deed=Deed(row.deed),
        principal=row.principal_id,
        name=row.name,
        token=row.token_id,
        address=row.address,
        request=row.request,
        subject=row.subject_id,
        project=row.project_id,
        detail=row.detail,
    )
