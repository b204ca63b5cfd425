"""Two sorted streams are joined fully, whatever is in them."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from laydown.domain.legacy import OldDocument, OldObject, entry_of
from laydown.services.legacy_scan import _merged
from tests.ledger_support import EPOCH, in_thread

T = TypeVar("T")
KEYS = st.lists(st.text("ab/é\U0001f600", max_size=3), max_size=12)


def row(number: int, key: str) -> OldDocument:
    return OldDocument(
        id=number,
        project=7,
        filename="a",
        mime=None,
        size=1,
        key=key,
        uploaded_by=None,
        created_at=EPOCH,
    )


async def each(items: Sequence[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


@given(rows=KEYS, objects=KEYS)
def test_every_row_and_every_object_comes_out(rows, objects):
    """Each row once, with its object if there is one; each object that no row names, once."""
    in_bytes = sorted(rows, key=str.encode)
    stored = sorted(set(objects), key=str.encode)

    async def joined():
        streams = (
            each([row(number, key) for number, key in enumerate(in_bytes)]),
            each([OldObject(key=key, size=1) for key in stored]),
        )
        return [(a and a.key, b and b.key) async for a, b in _merged(*streams)]

    expected = Counter((key, key if key in stored else None) for key in rows)
    expected += Counter((None, key) for key in stored if key not in rows)
    assert Counter(in_thread(joined())) == expected


@given(st.text(max_size=400))
def test_any_old_name_becomes_a_path(name):
    """Whatever people called a file, it has a path of ours in a folder of its own."""
    path = entry_of(12, name, size=1, created_at=None, mime=None).path
    assert path.startswith("Legacy/12/")
    assert path.count("/") == 2
