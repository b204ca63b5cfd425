"""What clients say of their trace is believed only where W3C Trace Context lets it be."""

import pytest

from laydown.domain.trace import Trace

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "is_sampled"), [("01", True), ("00", False), ("03", True)])
def test_a_header_is_read(flags: str, *, is_sampled: bool):
    """The ids are taken as they are, and of the flags only the one that says sampled."""
    found = Trace.read(f"00-{ID}-{SPAN}-{flags}")

    assert found == Trace(trace_id=ID, span_id=SPAN, is_sampled=is_sampled)


def test_a_later_version_may_say_more():
    """What follows the four fields of version 00 is ignored, and not passed on."""
    assert str(Trace.read(f"cc-{ID}-{SPAN}-01-more")) == f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-more",
        f"00-{ID}-{SPAN}-01\n",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID}-{SPAN}-1",
        f"00-{ID}x-{SPAN}-01",
        "-" * 100_000,
    ],
)
def test_a_broken_header_says_nothing(text: str):
    """A header that breaks the rules is no error: it is as if there were none."""
    assert Trace.read(text) is None
