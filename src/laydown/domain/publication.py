"""What the ledger tells the two decisions about a file: at declaration, and when it is proven."""

from dataclasses import dataclass, field

from laydown.domain.document import Blob, BlobId, DocumentId, VersionId
from laydown.domain.reasons import Reason
from laydown.domain.upload import Upload, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHead:
    """A document's lock-protected state while versions are added."""

    id: DocumentId
    folded: str
    last_number: int  # 0: no version yet
    current_sha256: bytes | None  # None: no version yet, or its bytes can't be read
    lost_sha256: bytes | None = None  # of the current version, when its bytes can't be read


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version to be written; it becomes current when it was declared last."""

    id: VersionId
    document: DocumentId
    number: int
    upload: UploadId
    blob: BlobId


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known about a set of entries before any byte moves; filled by the ledger."""

    uploads: dict[str, Upload] = field(default_factory=dict)  # of this batch, by key
    paths: dict[str, UploadId] = field(default_factory=dict)  # of this batch, by folded path
    leaders: dict[bytes, UploadId] = field(default_factory=dict)  # on their way, by digest
    blobs: dict[bytes, Blob] = field(default_factory=dict)  # readable by the caller, by digest
    current: dict[str, bytes] = field(default_factory=dict)  # digest by folded path
    refusals: dict[tuple[bytes, str], Reason] = field(default_factory=dict)  # (digest, extension)
    followed: frozenset[UploadId] = frozenset()  # of this batch: twins wait for them
