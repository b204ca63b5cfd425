"""What this installation accepts: the settings that decide about files."""

from dataclasses import dataclass
from datetime import timedelta

from laydown.domain.filetypes import PROGRAM_EXTENSIONS
from laydown.domain.names import JUNK_PATTERNS
from laydown.domain.plan import LARGEST_FILE, SINGLE_UP_TO
from laydown.domain.scanning import NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules entries and bytes are judged by."""

    junk: tuple[str, ...] = JUNK_PATTERNS
    refused_extensions: frozenset[str] = PROGRAM_EXTENSIONS
    accept_empty: bool = False
    largest_file: int = LARGEST_FILE  # bytes
    single_up_to: int = SINGLE_UP_TO  # bytes
    scanner: str = NOBODY  # the malware scanner's name, as receipts show it
    quarantine: timedelta = timedelta(0)  # how long refused bytes are kept, unreadable
    accept_unscanned: bool = False  # whether what the scanner can't judge is taken all the same
