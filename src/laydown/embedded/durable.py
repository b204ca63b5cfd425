"""Make a change of names survive a power cut."""

import os
from pathlib import Path


def flush_directory(directory: Path) -> None:
    """Have the names in *directory* on disk: the last step after a rename."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
