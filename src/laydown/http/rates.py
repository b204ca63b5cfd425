"""Rates as HTTP tells them: draft-ietf-httpapi-ratelimit-headers, and who is refused."""

from collections.abc import Mapping, Sequence

from starlette.types import Scope

from laydown.domain.errors import RateLimited
from laydown.http.context import add_header
from laydown.services.rating import Bucket, Standing

_COUNTED: Mapping[Bucket, str] = {
    Bucket.TOKEN: "requests of this token",
    Bucket.ORGANIZATION: "requests of this organization",
    Bucket.KEYS: "idempotency keys of this organization",
}

POLICY, STANDING = "RateLimit-Policy", "RateLimit"


def tell(scope: Scope, standings: Sequence[Standing]) -> None:
    """Have the answer say how the caller stands; raise `RateLimited` for one who must wait.

    `q` is how many requests a full bucket has and `w` the seconds in which it fills; `r` how many
    are left and `t` the seconds until it is full.
    """
    if not standings:
        return
    add_header(scope, POLICY, ", ".join(map(_policy, standings)))
    add_header(scope, STANDING, ", ".join(map(_standing, standings)))
    for each in standings:
        if each.wait:
            raise RateLimited(
                f"Too many {_COUNTED[each.bucket]}: after {each.rate.burst:,} at once, "
                f"{each.rate.per_second:,} a second are taken.",
                seconds=each.wait,
            )


def _policy(each: Standing) -> str:
    return f'"{each.bucket}";q={each.rate.burst};w={each.rate.window}'


def _standing(each: Standing) -> str:
    return f'"{each.bucket}";r={each.left};t={each.full_in}'
