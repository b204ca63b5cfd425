"""moto's server with two corrections, run as a program: `python -P queue_server.py -H … -p …`.

As it comes, each receive takes as long as its queue is long, ten times over, and a message that is
sent while another is deleted may be lost. Everything else is moto's own.
"""

from functools import wraps
from typing import Any

from moto.core.utils import unix_time_millis
from moto.server import main
from moto.sqs import models


def is_still_kept(backend: Any, queue_name: str, message: Any) -> bool:
    """Tell what moto's own method tells, without counting every message of the queue."""
    kept_for = backend.get_queue(queue_name).message_retention_period  # seconds
    return bool(message.sent_timestamp + kept_for * 1000 > unix_time_millis())


def one_at_a_time(method: Any) -> Any:
    """Have a queue's *method* wait for the lock that its sending takes."""

    @wraps(method)
    def locked(queue: Any, *given: Any) -> Any:
        with queue._messages_lock:
            return method(queue, *given)

    return locked


if __name__ == "__main__":
    slow, loose = "is_message_valid_based_on_retention_period", "delete_message"
    assert hasattr(models.SQSBackend, slow), "moto has changed: see whether it is still slow"
    setattr(models.SQSBackend, slow, is_still_kept)
    setattr(models.Queue, loose, one_at_a_time(getattr(models.Queue, loose)))
    main()
