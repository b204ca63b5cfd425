"""What a store that speaks S3 answers: documents read with care, and refusals by their codes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from laydown.domain.errors import StoreUnavailable

_ERROR: Final = b"<Error"
_WHERE: Final = 1024  # bytes into a document, after which its root has begun

_PASSING: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
# "Error responses", Amazon S3 API reference: those that say to try again, whatever their status.
_PASSING_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
    }
)


@dataclass(frozen=True, kw_only=True)
class S3Answer:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def xml(self) -> Element:
        """The document, without its name spaces; raises `StoreUnavailable` when it is none."""
        try:
            text = self.body.decode()
            if "<!" in text:  # S3 declares no types and no entities
                raise StoreUnavailable("the store's answer declares what S3 never does")
            root = fromstring(text)  # noqa: S314 - without declarations there is no bomb
        except (UnicodeDecodeError, ValueError, ParseError) as error:
            raise StoreUnavailable(f"the store's answer is no XML: {error}") from error
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    @cached_property
    def code(self) -> str | None:
        """The code of an error, which may come with status 200; None for what is no error."""
        if _ERROR not in self.body[:_WHERE]:
            return None
        root = self.xml
        return root.findtext("Code") if root.tag == "Error" else None

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered otherwise a little later."""
        return self.code in _PASSING_CODES or self.status in _PASSING


class S3Refused(StoreUnavailable):
    """The store answers, and won't; says its code and what it said."""

    def __init__(self, answer: S3Answer, what: str) -> None:
        self.status = answer.status
        self.reason = answer.code or str(answer.status)
        self.said = (answer.xml.findtext("Message") or "") if answer.code else ""
        super().__init__(
            f"the store refuses {what}: {self.reason}" + (f" ({self.said})" if self.said else "")
        )

    @property
    def is_absence(self) -> bool:
        """Whether it says that what was asked for is not there, in a bucket that is."""
        return self.reason in {"NoSuchKey", "NoSuchUpload", "NoSuchVersion"}


@contextmanager
def plainly() -> Iterator[None]:
    """Raise what is a kind of `StoreUnavailable` as just that: the one that callers answer for."""
    try:
        yield
    except StoreUnavailable as error:
        if type(error) is StoreUnavailable:
            raise
        raise StoreUnavailable(str(error)) from error


def text_of(element: Element, name: str) -> str:
    """Return the text of a child that S3 always gives, or raise `StoreUnavailable`."""
    found = element.findtext(name)
    if found is None:
        raise StoreUnavailable(f"the store's answer has no {name}")
    return found


def number_of(element: Element, name: str) -> int:
    """Return the number in a child that S3 always gives, or raise `StoreUnavailable`."""
    text = text_of(element, name)
    if not text.isdecimal():
        raise StoreUnavailable(f"the store's answer has a {name} that is no number")
    return int(text)


def moment_of(element: Element, name: str) -> datetime:
    """Return the time in a child, or raise `StoreUnavailable`; now, where a store leaves it out."""
    text = element.findtext(name)
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StoreUnavailable(f"the store's answer has a {name} that is no time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
