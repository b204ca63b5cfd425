"""What the use cases need from the outside world, as promises."""

from laydown.ports.ledger import (
    Credential,
    EventLog,
    Holding,
    JobFeed,
    Keyring,
    Ledger,
    Patrol,
    Silence,
)
from laydown.ports.rows import (
    DocumentRows,
    JobRows,
    Page,
    ProjectRows,
    Tx,
    UploadFilter,
    UploadRecord,
    UploadRows,
)
from laydown.ports.stores import (
    Fingerprint,
    Fingerprinter,
    ObjectStore,
    SignedUrl,
    StoredObject,
    UrlSigner,
)

__all__ = [
    "Credential",
    "DocumentRows",
    "EventLog",
    "Fingerprint",
    "Fingerprinter",
    "Holding",
    "JobFeed",
    "JobRows",
    "Keyring",
    "Ledger",
    "ObjectStore",
    "Page",
    "Patrol",
    "ProjectRows",
    "SignedUrl",
    "Silence",
    "StoredObject",
    "Tx",
    "UploadFilter",
    "UploadRecord",
    "UploadRows",
    "UrlSigner",
]
