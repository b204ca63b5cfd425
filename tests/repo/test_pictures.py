"""Every picture that the documentation shows is there, small, and shown."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PICTURES = _ROOT / "docs" / "pictures"
_LARGEST = 200_000  # bytes
_SHOWN = re.compile(r"!\[[^\]]*\]\(([^)\s]+\.png)\)")


def shown() -> set[Path]:
    """Return the pictures that some page of ours shows."""
    pages = [_ROOT / "README.md", *(_ROOT / "docs").rglob("*.md")]
    return {
        (page.parent / path).resolve()
        for page in pages
        for path in _SHOWN.findall(page.read_text("utf-8"))
    }


def test_pages_show_the_pictures_that_there_are():
    """No page shows a picture that isn't there, and none is there that no page shows."""
    assert shown() == set(_PICTURES.glob("*.png"))


def test_pictures_are_small():
    """No picture takes long to load."""
    assert [path for path in shown() if path.stat().st_size > _LARGEST] == []
