"""What one look at the bytes established."""

from dataclasses import dataclass

from laydown.domain.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Facts about exactly these bytes, whatever they were declared to be."""

    sha256: bytes
    size: int  # bytes
    kind: Kind
    is_pointer: bool
    store_version: str | None = None  # what the store calls exactly these bytes, if it does
