"""News of the store and of the scanner beside it, from a queue."""

from collections.abc import Sequence
from datetime import timedelta

from laydown.ports import Notice
from laydown.queues.client import LONGEST_WAIT, Queue
from laydown.queues.shapes import Home, facts_of
from laydown.queues.strangers import Strangers

_LIMIT = 100  # messages for one transaction
_HIDDEN = timedelta(seconds=60)  # a transaction takes a hundredth of it


class SqsNotices:
    """A `NoticeFeed` about one bucket.

    *wait* is how long it waits for the first message; what it received comes again to somebody
    after *hidden_for* unless it is settled by then.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        home: Home,
        strangers: Strangers,
        wait: timedelta = LONGEST_WAIT,
        hidden_for: timedelta = _HIDDEN,
    ) -> None:
        self._queue = queue
        self._home = home
        self._strangers = strangers
        self._wait = wait
        self._hidden_for = hidden_for

    async def receive(self) -> Sequence[Notice]:
        """Wait a while for messages; messages that aren't ours are logged, counted, and dropped."""
        notices = []
        strange = []
        messages = await self._queue.gather(_LIMIT, wait=self._wait, hidden_for=self._hidden_for)
        for message in messages:
            try:
                facts = facts_of(message.body, key=message.key, home=self._home)
            except ValueError:
                strange.append(message)
            else:
                notices.append(Notice(receipt=message.receipt, facts=facts))
        await self._strangers.meet(self._queue, strange)
        return notices

    async def settle(self, notices: Sequence[Notice]) -> None:
        """Drop messages that are dealt with; others come again."""
        await self._queue.delete([notice.receipt for notice in notices])
