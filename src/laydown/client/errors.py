"""What can go wrong between a client and its server, in sentences that people can act on."""

from collections.abc import Iterator
from http import HTTPStatus

from laydown.wire import Problem


class ClientError(Exception):
    """Root of every error the SDK raises on purpose; its text is a sentence."""


class NoSuchPath(ClientError):
    """What was to be pushed is not there."""


class TooManyFiles(ClientError):
    """More files than one delivery takes; push the folders below one by one."""


class Unreachable(ClientError):
    """The server did not answer, however often it was asked; nothing is known to be lost."""

    def __init__(self, url: str, seconds: float, why: str) -> None:
        super().__init__(f"{url} could not be reached for {seconds:.0f} s: {why}")
        self.url = url
        self.seconds = seconds  # of continuous silence


class BrokenOff(ClientError):
    """A long answer ended before its end; ask again."""


class BadAnswer(ClientError):
    """What answered does not speak laydown's API; the URL may be another program's."""


class StoreRefused(ClientError):
    """The object store refused bytes, or a request for them, that the server had permitted."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"the object store answered {status} {code}: {message or 'no more'}")
        self.status = status
        self.code = code  # S3's own, such as `AccessDenied`
        self.message = message


class DamagedDownload(ClientError):
    """The bytes that came are not those of the version; nothing was left on disk."""


class ApiError(ClientError):
    """The server refused a request and said why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(_sentence(problem))
        self.problem = problem

    @property
    def code(self) -> str:
        """The stable code, as docs/reference/errors.md lists it."""
        return self.problem.code


class Unauthorized(ApiError):
    """The server does not know this token, or no longer."""


class NotFound(ApiError):
    """There is no such thing, or this token may not see it."""


def error_for(problem: Problem) -> ApiError:
    """Return the error that tells of *problem*."""
    match problem.status:
        case HTTPStatus.UNAUTHORIZED:
            return Unauthorized(problem)
        case HTTPStatus.NOT_FOUND:
            return NotFound(problem)
        case _:
            return ApiError(problem)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended a task group: ours before any other."""
    leaves = list(_leaves(group))
    return next((error for error in leaves if isinstance(error, ClientError)), leaves[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _sentence(problem: Problem) -> str:
    detail = (problem.detail or problem.title).strip()
    faults = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in problem.errors[:5])
    return f"{detail} ({faults})" if faults else detail
