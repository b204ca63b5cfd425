"""Who goes first when a processor is short."""

import contextlib
import os
from pathlib import Path

_NICENESS = 10
"""What comes in goes first: proving waits for no client, receiving does."""

_GROUP = Path("/proc/self/autogroup")  # sched(7); Linux only, and not in every kernel


def give_way() -> None:
    """Let other processes of this machine go first, from now on; call once.

    Where Linux shares processors between sessions (autogroup), niceness counts only within one.
    A process that leads a session, as all do that our supervisor starts, speaks for the session;
    any other does not, lest it slow down the terminal it was started from.
    """
    os.nice(_NICENESS)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # none here, or not ours to say
            _GROUP.write_text(str(_NICENESS))
