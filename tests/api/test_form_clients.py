"""The clients people have, as they are: each sends files by its own habits, and no name is lost."""

import asyncio
import json
import shutil
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
import requests

from tests.api.talk import Json, Talk, sha256

NAMES = (
    "plan.pdf",
    "Grundriß EG Süd.pdf",
    'Tür "rechts".pdf',
    "50% off; a=b, c.pdf",
    "it's (1) [final] {2}.pdf",
    "100%25.pdf",
    "平面図 🏗.pdf",
)
PDF = b"%PDF-1.7\n"
NODE = """
import { readFileSync, openAsBlob } from "node:fs";
const [url, token, ...paths] = process.argv.slice(1);
const form = new FormData();
form.append("reference", "from node");
for (const path of paths) {
  const name = path.split("/").pop();
  form.append("files", await openAsBlob(path, { type: "application/pdf" }), name);
}
const answer = await fetch(url, {
  method: "POST", body: form, headers: { authorization: `Bearer ${token}` },
});
console.log(await answer.text());
"""
# What `form-data` writes, which supertest, axios and request are made of, sent in pieces.
NODE_STREAM = """
import { request } from "node:http";
import { createReadStream } from "node:fs";
const [url, token, ...paths] = process.argv.slice(1);
const boundary = "--------------------------" + "123456789012345678901234";
const sending = request(url, { method: "POST", headers: {
  authorization: `Bearer ${token}`,
  "content-type": "multipart/form-data; boundary=" + boundary,
} }, async (answer) => {
  let text = "";
  for await (const piece of answer) text += piece;
  console.log(text);
});
for (const path of paths) {
  const name = path.split("/").pop().replace(/"/g, "%22");
  sending.write("--" + boundary + "\\r\\n");
  sending.write(`Content-Disposition: form-data; name="files"; filename="${name}"\\r\\n`);
  sending.write("Content-Type: application/pdf\\r\\n\\r\\n");
  for await (const piece of createReadStream(path)) sending.write(piece);
  sending.write("\\r\\n");
}
sending.end("--" + boundary + "--\\r\\n");
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[Path, bytes]:
    """Files with the names that people give them."""
    found = {}
    for number, name in enumerate(NAMES):
        path = tmp_path / name
        found[path] = PDF + bytes(range(256)) * (number * 700)
        path.write_bytes(found[path])
    return found


async def run(program: str, *arguments: str) -> Json:
    """Run a client; return the JSON it prints."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} here")
    process = await asyncio.create_subprocess_exec(
        found, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode == 0, err[-2_000:]
    return json.loads(out)


def where(talk: Talk, project: str) -> str:
    return f"{talk.url}/v1/projects/{project}/files"


def check(answer: Json, files: dict[Path, bytes]) -> None:
    """See that every file came under its name, with its bytes, in order."""
    got = [(each["path"], each["sha256"], each["state"]) for each in answer["files"]]
    assert got == [(path.name, sha256(data), "checking") for path, data in files.items()]


@pytest.mark.parametrize("escape", [[], ["--form-escape"]], ids=["percent", "backslash"])
async def test_curl(ours, project, files, escape):
    """`curl -F` sends every name as it is, whichever way it escapes quotes."""
    parts = [
        argument
        for path in files
        for argument in ("-F", 'files=@"{}"'.format(str(path).replace('"', '\\"')))
    ]
    answer = await run(
        "curl", "-sS", *escape, "-H", f"Authorization: Bearer {ours.token}",
        "-F", "reference=from curl", *parts, where(ours, project),
    )  # fmt: skip
    check(answer, files)
    assert answer["reference"] == "from curl"


async def test_curl_with_folders(ours, project, files):
    """`;filename=` with slashes is a path."""
    path = next(iter(files))
    answer = await run(
        "curl", "-sS", "-H", f"Authorization: Bearer {ours.token}", "-H", "Expect: 100-continue",
        "-F", f"f=@{path};filename=Tower B/plans/a.pdf", where(ours, project),
    )  # fmt: skip
    assert answer["files"][0]["path"] == "Tower B/plans/a.pdf"


async def test_python_requests(ours, project, files):
    """`requests` with a list of files and a dict of fields."""

    def post() -> requests.Response:
        opened = [("files", (path.name, path.open("rb"), "application/pdf")) for path in files]
        try:
            return requests.post(
                where(ours, project),
                headers={"Authorization": f"Bearer {ours.token}"},
                data={"label": "from requests"},
                files=opened,
                timeout=30,
            )
        finally:
            for _, (_, file, _) in opened:
                file.close()

    answer = await asyncio.to_thread(post)
    assert answer.status_code == 201, answer.text
    check(answer.json(), files)


async def test_aiohttp(ours, project, files):
    """`aiohttp` names files as they are when it is told not to quote them."""
    form = aiohttp.FormData(quote_fields=False)
    for path, data in files.items():
        form.add_field("files", BytesIO(data), filename=path.name)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            where(ours, project), data=form, headers={"Authorization": f"Bearer {ours.token}"}
        ) as answer,
    ):
        check(await answer.json(), files)


async def test_node(ours, project, files):
    """`fetch` with `FormData`, as browsers have them too."""
    arguments = ["--no-warnings", "--input-type=module", "-e", NODE, "--"]
    answer = await run("node", *arguments, where(ours, project), ours.token, *map(str, files))
    check(answer, files)
    assert answer["reference"] == "from node"


async def test_node_in_pieces(ours, project, files):
    """A streamed form of unknown length, as `form-data` pipes it."""
    arguments = ["--no-warnings", "--input-type=module", "-e", NODE_STREAM, "--"]
    answer = await run("node", *arguments, where(ours, project), ours.token, *map(str, files))
    check(answer, files)
