"""JSON bodies: read within limits, decoded into wire shapes, and described for OpenAPI."""

import asyncio
import re
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from fastapi import Depends, Request, Response

from laydown.domain.errors import ClientGone, InvalidRequest, TooLarge
from laydown.http.context import Limited, Limits

T = TypeVar("T")

# msgspec ends its messages with the place: "… - at `$.entries[3].size`", and `[...]` for any key.
_AT = re.compile(r" - at `([^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")

# Not in any text we keep: Postgres takes no NUL, JSON no half of a surrogate pair, people no rest.
UNSOUND = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


async def read(request: Request, limits: Limits, *, at_most: int) -> bytes:
    """Return the whole body.

    Raises `TooLarge` past *at_most* bytes, before reading them where the client says how many
    there are, and `ClientGone` for a sender that leaves or is slower than the limits allow.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > at_most:
        raise TooLarge(f"The body has {int(length):,} bytes; this route takes {at_most:,}.")
    body = bytearray()
    latest = asyncio.get_running_loop().time() + limits.body_patience
    try:
        async with asyncio.timeout_at(latest) as deadline:
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                if len(body) > at_most:
                    raise TooLarge(f"The body has more bytes than this route takes: {at_most:,}.")
                if not message.get("more_body", False):
                    return bytes(body)
                deadline.reschedule(latest + len(body) / limits.slowest_body)
    except TimeoutError:
        raise ClientGone("The body came too slowly.") from None


def decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return *body* as the decoder's type, or raise `InvalidRequest` that points at the fault."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        text, pointer = located(error)
        raise InvalidRequest("The body is not what this route takes.", ((pointer, text),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The body is no JSON: {error}") from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.") from None


def located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return what is wrong and the JSON pointer (RFC 6901) to it."""
    text = str(error)
    place = _AT.search(text)
    if not place:
        return text, ""
    steps = (name or index for name, index in _STEP.findall(place[1]))
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    return text[: place.start()], pointer


def sound(text: str, pointer: str, *, longest: int) -> str:
    """Return *text* if it has 1 to *longest* characters and no controls, else `InvalidRequest`."""
    if not 0 < len(text) <= longest:
        raise InvalidRequest(
            "The body is not what this route takes.",
            ((pointer, f"Expected 1 to {longest:,} characters"),),
        )
    if UNSOUND.search(text):
        raise InvalidRequest(
            "The body is not what this route takes.", ((pointer, "It has a control character"),)
        )
    return text


def taking(shape: type[T], *, otherwise: T | None = None) -> Any:  # noqa: ANN401 - what FastAPI's Depends is
    """Return the dependency that reads the request's JSON body as *shape*.

    With *otherwise*, there may be no body, and that is what it then means.
    """
    decoder = msgspec.json.Decoder(shape)

    async def body(request: Request, limits: Limited) -> T:
        sent = await read(request, limits, at_most=limits.body_bytes)
        if otherwise is not None and not sent:
            return otherwise
        return decoded(sent, decoder)

    return Depends(body)


def described(shape: type, *, is_required: bool = True) -> dict[str, Any]:
    """Return what OpenAPI says of a route's JSON body."""
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": is_required, "content": content}}


def json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return the answer that says *value*, a wire shape, without validating what we made."""
    return Response(msgspec.json.encode(value), status.value, media_type="application/json")
