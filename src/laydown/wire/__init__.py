"""The JSON shapes of the native API, shared by the server and the SDK.

Ids are UUIDs in text, times RFC 3339 in UTC, sizes bytes, digests hexadecimal.
"""

from laydown.wire.batches import (
    Amount,
    Batch,
    BatchPage,
    Declared,
    Entry,
    NewBatch,
    NewEntries,
    Plan,
    Retried,
    Verdict,
)
from laydown.wire.documents import Document, DocumentPage, Version, VersionPage
from laydown.wire.operations import JobPage, JobRow
from laydown.wire.problems import Check, Fault, Health, Problem
from laydown.wire.projects import NewProject, Position, Project, ProjectChange, ProjectPage
from laydown.wire.sending import (
    Completion,
    CompletionRequest,
    Completions,
    GrantRequest,
    Grants,
    PartGrant,
    SentUpload,
    UploadGrant,
    WantedPart,
    WantedUpload,
)
from laydown.wire.states import SETTLED, SUCCEEDED, BatchState, OnConflict, UploadState, VerdictKind
from laydown.wire.uploads import (
    Change,
    Happening,
    Receipt,
    ReceiptRow,
    Timeline,
    Upload,
    UploadPage,
)

__all__ = [
    "SETTLED",
    "SUCCEEDED",
    "Amount",
    "Batch",
    "BatchPage",
    "BatchState",
    "Change",
    "Check",
    "Completion",
    "CompletionRequest",
    "Completions",
    "Declared",
    "Document",
    "DocumentPage",
    "Entry",
    "Fault",
    "GrantRequest",
    "Grants",
    "Happening",
    "Health",
    "JobPage",
    "JobRow",
    "NewBatch",
    "NewEntries",
    "NewProject",
    "OnConflict",
    "PartGrant",
    "Plan",
    "Position",
    "Problem",
    "Project",
    "ProjectChange",
    "ProjectPage",
    "Receipt",
    "ReceiptRow",
    "Retried",
    "SentUpload",
    "Timeline",
    "Upload",
    "UploadGrant",
    "UploadPage",
    "UploadState",
    "Verdict",
    "VerdictKind",
    "Version",
    "VersionPage",
    "WantedPart",
    "WantedUpload",
]
