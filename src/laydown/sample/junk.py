"""What operating systems, programs and broken transfers leave in a delivery."""

import hashlib
from random import Random

from laydown.sample.site import PEOPLE

_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # the mark of OLE files such as Thumbs.db
_LOCK_FILE = 165  # bytes of the owner file that Excel keeps beside an open workbook


def ds_store(chance: Random) -> bytes:
    """Return how a Mac's Finder remembers the look of a folder."""
    return b"\x00\x00\x00\x01Bud1\x00\x00\x10\x00" + chance.randbytes(24) + bytes(6112)


def thumbs(chance: Random) -> bytes:
    """Return a cache of thumbnails as old versions of Windows keep it."""
    return _COMPOUND + bytes(16) + b"\x3e\x00\x03\x00\xfe\xff\x09\x00" + chance.randbytes(7136)


def desktop_ini() -> bytes:
    """Return how Windows remembers the icon of a folder."""
    return b"[.ShellClassInfo]\r\nIconResource=C:\\Windows\\System32\\SHELL32.dll,4\r\n"


def lock_file(chance: Random) -> bytes:
    """Return the owner file of a workbook that somebody had open."""
    owner = chance.choice(PEOPLE)
    narrow = bytes([len(owner)]) + owner.encode("cp1252").ljust(54, b" ")
    wide = bytes([len(owner), 0]) + owner.encode("utf-16-le")
    return (narrow + wide).ljust(_LOCK_FILE, b"\x00")


def backup(chance: Random) -> bytes:
    """Return the previous state of a drawing, as AutoCAD keeps it."""
    return b"AC1032" + bytes(7) + chance.randbytes(18_000)


def drawing_lock(chance: Random) -> bytes:
    """Return AutoCAD's note of who has a drawing open."""
    return f"{chance.choice(PEOPLE)}\r\nWS-{chance.randrange(100, 999)}\r\n".encode()


def pointer(chance: Random) -> bytes:
    """Return a Git-LFS pointer: three lines that stand for a file that never came (LFS spec v1)."""
    digest = hashlib.sha256(chance.randbytes(32)).hexdigest()
    size = chance.randrange(80_000_000, 400_000_000)
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n".encode()
    )
