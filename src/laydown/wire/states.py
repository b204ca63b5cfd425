"""Closed choices: states and verdicts, by their names."""

from typing import Literal

UploadState = Literal[
    "declared",
    "receiving",
    "sealing",
    "checking",
    "processing",
    "ready",
    "duplicate",
    "skipped",
    "rejected",
    "cancelled",
    "expired",
    "failed",
]
VerdictKind = Literal["send", "resume", "wait", "duplicate", "skipped", "rejected", "settled"]
BatchState = Literal["open", "closed", "settled"]
OnConflict = Literal["new_version", "skip", "reject"]

SUCCEEDED: frozenset[UploadState] = frozenset({"ready", "duplicate", "skipped"})
SETTLED: frozenset[UploadState] = SUCCEEDED | {"rejected", "cancelled", "expired", "failed"}
