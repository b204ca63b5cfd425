"""How the C library keeps memory for bodies."""

import ctypes
import platform
from collections.abc import Callable

_M_TRIM_THRESHOLD = -1  # <malloc.h>
_M_MMAP_THRESHOLD = -3
_LARGEST_KEPT = 32 << 20  # bytes: DEFAULT_MMAP_THRESHOLD_MAX of glibc on 64 bits, its limit


def keep_freed_memory() -> bool:
    """Reuse the memory of chunks instead of returning it to the kernel; say whether it worked.

    glibc maps every block of 128 KiB or more afresh, and the kernel clears each page of it: for
    chunks of a body that costs more than receiving them. Call once, early, in a process that takes
    bodies in. Does nothing where the C library isn't glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
    kept = mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT) == 1
    return mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_KEPT) == 1 and kept
