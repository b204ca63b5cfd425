"""The Schependomlaan project, a real delivery of 334 files, comes to exactly what it must."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "schependomlaan"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the sample is not beside the repository")
def test_a_real_delivery_is_accounted_for(yard):
    """276 ready, 30 duplicate, 17 skipped, 11 pointers; again, no byte travels within 10 s."""
    first = yard.start_push(FOLDER, project="SCHEPENDOMLAAN").end(within=120)

    assert first.counts == {"ready": 276, "duplicate": 30, "skipped": 17, "rejected": 11}
    assert first.said["reasons"]["placeholder_pointer"] == 11
    assert first.said["unreadable"] == []
    assert not first.said["is_success"]
    assert first.code == 1

    again = yard.push(FOLDER, project="SCHEPENDOMLAAN")

    assert again.sent == 0
    assert again.said["seconds"] < 10
    assert again.counts == {"skipped": 276 + 30 + 17, "rejected": 11}
