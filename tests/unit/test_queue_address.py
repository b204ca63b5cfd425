"""A queue's address says which queue, where, and nothing that we'd not understand."""

import pytest

from laydown.queues.address import QueueAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sqs://laydown-jobs", QueueAddress(name="laydown-jobs")),
        ("sqs://Jobs_1?region=eu-central-1", QueueAddress(name="Jobs_1", region="eu-central-1")),
        (
            "sqs://jobs?endpoint=http%3A%2F%2F127.0.0.1%3A9324&region=us-east-1",
            QueueAddress(name="jobs", endpoint="http://127.0.0.1:9324", region="us-east-1"),
        ),
        (
            "sqs://jobs?endpoint=https://sqs.example.com/",
            QueueAddress(name="jobs", endpoint="https://sqs.example.com/"),
        ),
    ],
)
def test_an_address_is_what_it_says(text, address):
    """Read, it names the queue; written, it reads as the same."""
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with sqs://"),
        ("https://sqs.eu-central-1.amazonaws.com/1/jobs", "begins with sqs://"),
        ("sqs://", "names no standard queue"),
        ("sqs://jobs.fifo", "names no standard queue"),
        ("sqs://account/jobs", "names no standard queue"),
        ("sqs://" + "j" * 81, "names no standard queue"),
        ("sqs://jobs?regoin=eu-central-1", "regoin"),
        ("sqs://jobs?endpoint=127.0.0.1:9324", "no http or https URL"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text, complaint):
    """The sentence says what is wrong with it."""
    with pytest.raises(ValueError, match=complaint):
        parse_address(text)
