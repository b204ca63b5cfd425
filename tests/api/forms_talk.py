"""Forms as bytes on the wire: what a test sends when it wants to say exactly what is sent."""

from collections.abc import Mapping, Sequence

from tests.api.talk import Answer, Json, Talk

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def field(name: str, value: str | bytes) -> bytes:
    """Return a part that is no file."""
    text = value if isinstance(value, bytes) else value.encode()
    return part(f'form-data; name="{name}"'.encode(), text)


def file(name: str | bytes, data: bytes, *, field: str = "files", **more: str) -> bytes:
    """Return a part that is a file, its name written as browsers do."""
    raw = name if isinstance(name, bytes) else name.encode()
    raw = raw.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
    headers = {"Content-Type": "application/octet-stream", **more}
    disposition = b'form-data; name="%b"; filename="%b"' % (field.encode(), raw)
    return part(disposition, data, headers)


def part(disposition: bytes, data: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return any part."""
    lines = [b"Content-Disposition: " + disposition]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in (headers or {}).items()]
    return b"\r\n".join([f"--{BOUNDARY}".encode(), *lines, b"", data, b""])


def form(*parts: bytes) -> bytes:
    """Return a whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def send(
    talk: Talk,
    project: str,
    *parts: bytes,
    query: str = "",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send a form, or a *body* that is none."""
    sent = {"Content-Type": TYPE, **(headers or {})}
    content = form(*parts) if body is None else body
    return await talk.ask("POST", f"/v1/projects/{project}/files{query}", content, headers=sent)


async def sent(talk: Talk, project: str, *parts: bytes, **more: str) -> Json:
    """Send a form whose files are all taken; return the answer."""
    answer = await send(talk, project, *parts, **more)
    assert answer.status == 201, (answer.status, answer.body[:800])
    return answer.json


def states(answer: Json) -> Sequence[tuple[str | None, str | None]]:
    """Return state and reason of each file of an answer."""
    return [(each["state"], each["reason"]) for each in answer["files"]]
