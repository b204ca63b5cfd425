"""The audit: who did what, when, from where. Written with the deed, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Deed(StrEnum):
    """What is audited."""

    PROJECT_MADE = "project.made"
    PROJECT_CHANGED = "project.changed"
    BATCH_DECLARED = "batch.declared"  # or more files in it
    BATCH_CLOSED = "batch.closed"
    BATCH_CANCELLED = "batch.cancelled"
    BATCH_RETRIED = "batch.retried"
    UPLOAD_CANCELLED = "upload.cancelled"
    VERSION_FETCHED = "version.fetched"
    PROJECT_RESCANNED = "project.rescanned"
    JOB_REPLAYED = "job.replayed"
    JOB_DISCARDED = "job.discarded"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    TOKEN_MADE = "token.made"  # noqa: S105 - a deed
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a deed
    LINK_MADE = "link.made"
    LINK_REVOKED = "link.revoked"
    QUOTA_SET = "quota.set"
    LEGACY_IMPORTED = "legacy.imported"
    LEGACY_FORGOTTEN = "legacy.forgotten"
    SIGNED_IN = "session.opened"
    SIGNED_OUT = "session.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One line of the audit."""

    id: UUID
    at: datetime
    deed: Deed
    principal: UUID  # a member's or a drop link's id
    name: str  # what they were called then
    token: UUID | None  # what they showed
    address: str | None  # where from, as far as we can know
    request: str | None  # the request's id, as it is in the log
    subject: UUID | None  # what it was done to
    project: UUID | None  # where
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines of the audit."""

    deed: Deed | None = None
    principal: UUID | None = None
    subject: UUID | None = None
    project: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
