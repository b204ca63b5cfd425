"""A folder goes in through real processes, and every file of it is accounted for."""

import csv
import io
import os
import unicodedata
from collections import Counter
from pathlib import Path

from laydown.client.walk import walk
from laydown.sample import Manifest
from tests.e2e.yard import Yard


def test_a_whole_folder_is_accounted_for(yard, sample, tmp_path):
    """Counts are the manifest's, the receipt tells them too, and what went in comes out."""
    folder, manifest = sample

    pushed = yard.push(folder)

    assert pushed.code == 1, "three files are rejected"
    assert pushed.said["state"] == "settled"
    assert pushed.counts == {state: n for state, n in manifest.expected.items() if n}
    assert pushed.said["unreadable"] == []
    assert {r: pushed.said["reasons"][r] for r in manifest.rejections} == manifest.rejections
    _check_receipt(yard, pushed.said["batch"], folder, manifest)
    _check_downloads(yard, folder, tmp_path)


def test_a_second_push_moves_no_byte(yard, sample):
    """What is here is skipped or rejected as before, without a byte on the wire."""
    folder, manifest = sample
    first = yard.push(folder)
    assert 0 < first.sent <= manifest.bytes

    again = yard.push(folder)

    assert again.sent == 0
    assert again.said["batch"] != first.said["batch"]
    rejected = manifest.expected["rejected"]
    assert again.counts == {"skipped": manifest.files - rejected, "rejected": rejected}


def test_a_changed_file_becomes_a_new_version(yard, tmp_path):
    """Of a folder with one changed, one new and one removed file, only what is new travels."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("kept.txt", "changed.txt", "removed.txt"):
        (folder / name).write_text(f"the first {name}\n")
    assert yard.push(folder).code == 0

    (folder / "changed.txt").write_text("the second, and longer\n")
    (folder / "new.txt").write_text("new\n")
    (folder / "removed.txt").unlink()
    pushed = yard.push(folder)

    assert pushed.code == 0
    assert pushed.counts == {"ready": 2, "skipped": 1}
    assert pushed.sent == len("the second, and longer\n") + len("new\n")
    with yard.client() as client:
        project = client.project_of("X")
        versions = {
            document.path: [version.number for version in client.versions(document.id)]
            for document in client.documents(project.id)
        }
    assert versions == {
        "changed.txt": [2, 1],
        "kept.txt": [1],
        "new.txt": [1],
        "removed.txt": [1],
    }


def test_what_can_not_be_sent_is_named_and_stops_nothing(yard, tmp_path):
    """Links, pipes and odd names among good files: each is told of, the good ones are in."""
    folder = tmp_path / "folder"
    (folder / "plans é 現場").mkdir(parents=True)
    (folder / "plans é 現場" / "Grundriß.txt").write_text("good\n")
    (folder / "link.txt").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.txt")
    (folder / os.fsdecode(b"latin-\xe9.txt")).write_text("no UTF-8\n")
    (folder / "line\nbreak.txt").write_text("control character\n")
    (folder / "CON.txt").write_text("a device on Windows\n")

    pushed = yard.push(folder)

    assert pushed.said["state"] == "settled"
    assert pushed.counts["ready"] >= 1
    with yard.client() as client:
        rows = client.receipt(pushed.said["batch"]).rows
    assert {row.path for row in rows if row.state == "ready"} >= {"plans é 現場/Grundriß.txt"}
    declared = sum(pushed.counts.values())
    assert declared + len(pushed.said["unreadable"]) == 4, "four regular files, each told once"
    assert pushed.code == 1


def _check_receipt(yard: Yard, batch: str, folder: Path, manifest: Manifest) -> None:
    with yard.client() as client:
        receipt = client.receipt(batch)
        told = b"".join(client.receipt_csv(batch)).decode("utf-8-sig")
    with yard.database() as database:
        kept = database.execute(
            "SELECT path, state::text, reason FROM uploads WHERE batch_id = %s", [batch]
        ).fetchall()
    assert receipt.final
    assert Counter((row.path, row.state, row.reason) for row in receipt.rows) == Counter(kept)
    assert Counter(row.state for row in receipt.rows) == Counter(manifest.expected)
    found = {unicodedata.normalize("NFC", each.relative) for each in walk([folder]).files}
    assert {row.path for row in receipt.rows} == found
    lines = list(csv.DictReader(io.StringIO(told)))
    assert Counter((line["path"], line["state"]) for line in lines) == Counter(
        (path, state) for path, state, _ in kept
    )


def _check_downloads(yard: Yard, folder: Path, target: Path) -> None:
    """Compare every document with the file it was made from."""
    source = {
        unicodedata.normalize("NFC", each.relative): each.path for each in walk([folder]).files
    }
    with yard.client() as client:
        project = client.project_of("X")
        documents = list(client.documents(project.id))
        for document in documents:
            came = target / "came"
            client.download(document.current.id, came)
            assert came.read_bytes() == Path(source[document.path]).read_bytes(), document.path
            came.unlink()
        successes = [
            row.path
            for batch in client.batches()
            for row in client.receipt(batch.id).rows
            if row.state in {"ready", "duplicate"}
        ]
    assert sorted(document.path for document in documents) == sorted(successes)
    assert successes
