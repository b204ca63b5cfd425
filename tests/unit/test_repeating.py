"""A transaction that met another one is done again."""

import pytest

from laydown.domain.errors import Conflict, NotFound
from laydown.services.repeating import repeated


class Work:
    """A transaction that raises what it is given, time after time, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]
        self.begun = 0

    async def __call__(self) -> str:
        self.begun += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


async def test_a_conflict_is_not_heard_of():
    """Work that meets others three times is done at the fourth."""
    work = Work(*[Conflict("again")] * 3)
    assert await repeated(work) == "done"
    assert work.begun == 4


async def test_a_conflict_that_stays_is_told():
    """Work that always meets others ends with the conflict."""
    work = Work(*[Conflict("again")] * 9)
    with pytest.raises(Conflict):
        await repeated(work)
    assert work.begun == 4


async def test_any_other_error_is_told_at_once():
    """Nothing else is tried again."""
    work = Work(NotFound("batch", 1))
    with pytest.raises(NotFound):
        await repeated(work)
    assert work.begun == 1
