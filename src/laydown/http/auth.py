"""Who is asking."""

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from laydown.domain.errors import Unauthenticated
from laydown.http.context import Served
from laydown.services.identity import Caller

_bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token of an organization: `ldn_…`."
)


async def _caller(
    served: Served, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    if given is None:
        raise Unauthenticated
    return await served.identity.caller(given.credentials)


Called = Annotated[Caller, Depends(_caller)]
"""The caller that the bearer token names; without a valid one the answer is 401."""
