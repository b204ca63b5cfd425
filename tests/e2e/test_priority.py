"""A worker gives way to what receives, whatever the scheduler goes by."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_GROUP = Path("/proc/self/autogroup")
_PROGRAM = f"""
import os
from pathlib import Path
from laydown.bootstrap.priority import give_way

before = Path("{_GROUP}").read_text()
give_way()
print(os.nice(0), before == Path("{_GROUP}").read_text())
"""


@pytest.mark.skipif(not _GROUP.exists(), reason="this kernel has no groups of sessions")
@pytest.mark.parametrize("leads", [True, False])
def test_only_who_leads_a_session_speaks_for_it(leads):
    """The process gives way either way; its session, when others may be in it, stays as it is."""
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        start_new_session=leads,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == [str(os.nice(0) + 10), str(not leads)]
