"""Hostile names through the API: echoed to the letter or refused with a reason, and harmless."""

import csv
import io
import json
import re
import unicodedata
from urllib.parse import quote, unquote

import pytest

from laydown.domain.names import download_name
from laydown.domain.reasons import Reason
from tests.api.talk import sha256
from tests.hostile_names import hostile_names

pytestmark = pytest.mark.embedded

NAMES = hostile_names()
STORED = re.compile(r"(?:[0-9a-f-]+/)*[0-9a-f-]+(?:\.[0-9]+)?")  # the names we give
DISPOSITION = re.compile(
    r"attachment; filename=\"(?P<plain>[ !#$&-.0-\[\]-~]+)\"; "
    r"filename\*=UTF-8''(?P<coded>(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+)"
)


def content(index):
    """Return the bytes of a file, like no other's."""
    return f"file {index}\n".encode()


def entries(names):
    """Return an entry for each name, whose key is its place."""
    return [
        {
            "key": str(index),
            "path": name,
            "size": len(content(index)),
            "sha256": sha256(content(index)),
        }
        for index, name in enumerate(names)
    ]


async def declared(talk, project, reference, names):
    """Declare files of these names; return the answer, whose verdicts are in their order."""
    body = json.dumps({"reference": reference, "entries": entries(names)}).encode()
    answer = await talk.ask("POST", f"/v1/projects/{project}/batches", body, expect=201)
    assert [verdict["key"] for verdict in answer.json["verdicts"]] == [
        str(index) for index in range(len(names))
    ]
    return answer.json


def tree(folder):
    """Return every path below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_there_are_many_of_them():
    """The names are as many as the specification wants, and no two are one."""
    assert len(NAMES) >= 700
    assert len(set(NAMES)) == len(NAMES)


async def test_a_name_is_echoed_or_refused_with_a_reason(ours, project):
    """Each name comes back composed and otherwise to the letter, or its entry says what is wrong.

    As a file's name, as a folder's, and in a listing that is filtered by it.
    """
    for reference, names in {
        "files": NAMES,
        "folders": [f"{name}/plan.txt" for name in NAMES],
        "below": [f"site/{name}" for name in NAMES],
    }.items():
        answer = await declared(ours, project, reference, names)
        uploads = await ours.uploads(answer["batch"]["id"])
        for name, verdict in zip(names, answer["verdicts"], strict=True):
            if verdict["verdict"] == "send":
                assert uploads[verdict["key"]]["path"] == unicodedata.normalize("NFC", name)
            else:
                assert verdict["reason"] in set(Reason), name
                assert verdict["detail"] or verdict["reason"] != "illegal_name", name
                assert verdict["verdict"] in ("rejected", "skipped"), (name, verdict)


async def test_a_name_that_came_in_goes_out_harmless(server, ours, project, tmp_path):
    """What is stored is stored below the store under names of ours, and saved under safe ones."""
    before = tree(tmp_path) | tree(server.settings.data)
    answer = await declared(ours, project, "files", NAMES)
    batch = answer["batch"]["id"]
    waiting = {each["upload_id"]: int(each["key"]) for each in answer["verdicts"]
               if each["verdict"] == "send"}  # fmt: skip
    assert len(waiting) > 300
    for granted in await ours.grants(batch, *waiting):
        [part] = granted["parts"]
        assert (await ours.put(part, content(waiting[granted["id"]]))).status == 200
    await server.run_until_quiet()

    new = (tree(tmp_path) | tree(server.settings.data)) - before
    below = [path.partition("store/u/")[2] for path in new if "store/u/" in path]
    assert all("store/" in path or path == "data/store" for path in new), new
    assert [path for path in below if not STORED.fullmatch(path)] == []
    uploads = await ours.settled(batch)
    assert {uploads[str(index)]["state"] for index in waiting.values()} <= {"ready", "rejected"}
    found = await ours.documents(project)
    assert len(found) > 300
    for document in found:
        saved = await ours.content(document["current"]["id"])
        assert saved.status == 200
        disposition = DISPOSITION.fullmatch(saved.headers["Content-Disposition"])
        assert disposition, saved.headers["Content-Disposition"]
        name = unquote(disposition["coded"], errors="strict")
        assert name == download_name(document["path"])
        for shown in (name, disposition["plain"]):
            assert not re.search(r'[\x00-\x1f\x7f-\x9f/\\<>:|?*"]', shown), shown
            assert shown.strip(".")
            assert len(shown.encode()) <= 255
        assert saved.headers["X-Content-Type-Options"] == "nosniff"
        assert saved.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


async def test_a_receipt_of_hostile_names_is_a_table(ours, project):
    """The receipt has a row for each, and no cell of its table is a formula."""
    answer = await declared(ours, project, "files", NAMES)
    batch = answer["batch"]["id"]
    table = await ours.ask("GET", f"/v1/batches/{batch}/receipt.csv", expect=200)
    rows = list(csv.reader(io.StringIO(table.body.decode("utf-8-sig"), newline="")))
    assert len(rows) - 1 == len((await ours.get(f"/v1/batches/{batch}/receipt"))["rows"])
    for cell in (cell for row in rows[1:] for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell


@pytest.mark.parametrize("start", range(0, len(NAMES), 120))
async def test_a_name_in_a_query_or_a_reference_is_read_or_refused(ours, project, start):
    """Where else a client can say a name, it is taken or answered 400 or 404, never 5xx."""
    for name in NAMES[start : start + 120 : 4]:
        said = quote(name.encode(errors="surrogatepass"))
        for path in (
            f"/v1/projects/{project}/documents?path={said}",
            f"/v1/projects/{project}/documents?q={said}",
            f"/v1/projects?code={said}",
            f"/v1/projects/{said}",
        ):
            answer = await ours.ask("GET", path)
            assert answer.status in (200, 400, 404, 431), (path, answer.body)
        body = json.dumps({"reference": name, "label": name, "entries": []}).encode()
        answer = await ours.ask("POST", f"/v1/projects/{project}/batches", body)
        assert answer.status in (200, 201, 400), (name, answer.body)
        if answer.status != 400:
            assert answer.json["batch"]["reference"] == name
