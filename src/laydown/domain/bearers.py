"""What a request shows as its bearer, told apart by its shape alone."""

import re
from typing import Final

# A JWS has three parts, a JWE five (RFC 7515 and 7516, 3.1); a secret of ours has one.
_PARTS: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2}((\.[A-Za-z0-9_-]*){2})?", re.ASCII)


def is_from_issuer(bearer: str) -> bool:
    """Say whether *bearer* is shaped as an identity provider's token (JWT), not as one of ours.

    That says nothing of whether it is good.
    """
    return _PARTS.fullmatch(bearer) is not None
