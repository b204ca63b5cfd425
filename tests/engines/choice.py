"""Which engines a session of tests runs on: those that the variable TEST_ENGINE names."""

import os
from typing import Final

CHOSEN: Final = os.environ.get("TEST_ENGINE")
"""`embedded` is the data directory and its Postgres, `distributed` S3 and SQS; None is no choice:
the suites of the ports run on all engines then, and the others on the embedded ones."""

if CHOSEN not in {None, "embedded", "distributed"}:
    raise ValueError(f"TEST_ENGINE is {CHOSEN!r}, and neither 'embedded' nor 'distributed'")

IS_DISTRIBUTED: Final = CHOSEN == "distributed"
