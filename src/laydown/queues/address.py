"""Where a queue is, in one line: `sqs://laydown-jobs?region=eu-central-1`."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

SCHEME: Final = "sqs"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_KNOWN = frozenset({"endpoint", "region"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAddress:
    """A standard queue of an account; who we are comes from the usual AWS chain."""

    name: str
    endpoint: str | None = None  # the service's URL, where it is not AWS's own
    region: str | None = None  # None: as the AWS configuration says

    def __str__(self) -> str:
        """Return it as settings have it."""
        given = [("endpoint", self.endpoint), ("region", self.region)]
        query = "&".join(f"{key}={value}" for key, value in given if value)
        return f"{SCHEME}://{self.name}" + (f"?{query}" if query else "")


def parse_address(text: str) -> QueueAddress:
    """Return the queue a setting names; raise `ValueError`, with a sentence, for anything else."""
    split = urlsplit(text)
    if split.scheme != SCHEME:
        raise ValueError(f"{text!r} is no queue: it begins with {SCHEME}://")
    if not _NAME.fullmatch(split.netloc) or split.path.strip("/"):
        raise ValueError(
            f"{text!r} names no standard queue: letters, digits, - and _, at most 80 of them"
        )
    given = dict(parse_qsl(split.query, keep_blank_values=True))
    if unknown := given.keys() - _KNOWN:
        raise ValueError(f"{text!r} says {', '.join(sorted(unknown))}, which a queue has not")
    endpoint = given.get("endpoint")
    if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ValueError(f"{text!r} has an endpoint that is no http or https URL")
    return QueueAddress(name=split.netloc, endpoint=endpoint, region=given.get("region"))
