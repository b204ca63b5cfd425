"""What a month on AWS costs, from 5,000 uploads a day to 5 million: `python cost.py`.

A model, not a bill: list prices of us-east-1, no discounts, no support plan, no people. Prices
marked D were read in AWS's pricing pages when this was written; all others are general knowledge,
to be looked up again before money is decided on them. Sizes of what runs come from `config.py`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10

from laydown_infra.config import PRODUCTION

DAILY = (5_000, 50_000, 500_000, 5_000_000)
"""Uploads a day that the table has a column for."""

# What is assumed of the work. It is nobody's measurement; the first month's bill replaces it.
DAYS, HOURS, SECONDS_OF_DAY = 30.4, 730, 86_400
MB_EACH = 3  # a mix of photos of 3 to 8 MB and small documents
MB_OF_GB, GB_OF_TB = 1_000, 1_000
MONTHS_KEPT = 12  # the table shows the bill of the last of them
REQUESTS_EACH = 2.5  # PUTs and their like for a file; most are one PUT, some have parts
READS_EACH = 3  # GETs: the proof, the scan, and somebody who looks
VIEWS_EACH, VIEWED_SHARE = 2, 0.5  # a file is looked at twice, at half its size
WORK_EACH = 1.5  # seconds of one vCPU: proof, and the renditions that are to come
BUSY = 0.6  # of a worker's time
SPOT_SHARE, SPOT_PRICE = 0.75, 0.3  # of the workers above the floor; of the list price
MESSAGES_EACH = 12  # SQS requests for a file: notices, jobs, receives, deletes; batched
CALLS_EACH = 0.2  # requests to the API for a file, once they come in thousands
CALL_SECONDS, PEAK = 0.02, 20  # seconds of a vCPU for a request; the peak over the mean
EVENT_KB_EACH = 2  # live status sent for a file

# Dollars. S3's are per GB-month, per 1,000 requests; its volume discounts begin at 50 and 500 TB.
S3_STEPS = ((50_000, 0.023), (450_000, 0.022), (float("inf"), 0.021))
S3_RARE, S3_RARE_DAYS = 0.0125, 30  # Intelligent-Tiering's infrequent tier, after so many days
S3_ARCHIVE, S3_ARCHIVE_DAYS = 0.004, 90  # its archive instant tier
S3_WATCHED, S3_MOVED = 0.0025, 0.01  # Intelligent-Tiering, per 1,000 objects: a month; once
S3_PUTS, S3_GETS = 0.005, 0.0004
SCAN_GB, SCAN_OBJECTS = 0.09, 0.215  # D: GuardDuty Malware Protection for S3; per 1,000 objects
VCPU_HOUR, GIB_HOUR = 0.03238, 0.00356  # Fargate on arm64
BALANCER_HOUR, LCU_HOUR, LCU_GB = 0.0225, 0.008, 1
ACL, RULE, CHECKED = 5, 1, 0.60  # WAF: a month, a rule a month, a million requests
RULES = 4
SQS_MILLION, FAIR_MILLION = 0.40, 0.10  # D
EVENTS_MILLION = 1.0  # EventBridge; GuardDuty sends one a file
ENDPOINT_HOUR, ENDPOINT_GB = 0.01, 0.01
NAT_HOUR = 0.045  # the gateway that sign-ins go through; what passes is next to nothing
ENDPOINTS = 6  # the interface endpoints of network.py; each in every zone
OUT_STEPS = (  # from S3 to the internet, per GB
    (100, 0.0),
    (10_140, 0.09),
    (40_960, 0.085),
    (102_400, 0.07),
    (float("inf"), 0.05),
)
LOGS_GB, METRIC, TRACE_MILLION, ALARM = 0.50, 0.30, 5.0, 0.10
LOG_KB_EACH, METRICS, ALARMS, TRACED_SHARE = 10, 120, 40, 0.05  # metrics: ours and Insights'
KEYS, SECRETS, KEY, SECRET = 3, 1, 1.0, 0.40
DATABASE_GB = 0.23  # gp3, in two zones
KB_OF_ROW = 4  # of an upload, with its events, indexes and version
COPY_GB, COPY_KEPT = 0.02, 0.0125  # to the other region, once; there, in infrequent access

DATABASES: Mapping[int, tuple[str, float]] = {
    5_000: ("t4g.medium", 0.129),
    50_000: ("m7g.large", 0.337),
    500_000: ("m7g.xlarge", 0.674),
    5_000_000: ("r7g.4xlarge", 4.31),
}
"""The instance for a number of uploads a day, and its price an hour in two zones: by an estimate of
ten writes a file; no load was measured on RDS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is paid for."""

    what: str
    dollars: Mapping[int, float]  # a month, by uploads a day


def lines() -> Sequence[Line]:
    """Return the bill's lines, in the order in which they are shown."""
    return [
        Line(what=what, dollars={daily: price(daily) for daily in DAILY})
        for what, price in (
            ("S3 storage, month 12", _storage),
            ("S3 requests", _requests),
            ("Copies in another region", _copies),
            ("Malware scan (GuardDuty)", _scan),
            ("Workers (Fargate)", _workers),
            ("API (Fargate)", _api),
            ("Postgres (RDS, two zones)", _database),
            ("Load balancer and WAF", _door),
            ("SQS and EventBridge", _queues),
            ("VPC endpoints, NAT for sign-ins", _network),
            ("Downloads", _downloads),
            ("Logs, metrics, traces, keys", _watching),
        )
    ]


def table() -> str:
    """Return the bill as a table of Markdown, whole dollars."""
    bill = lines()
    totals = {daily: sum(line.dollars[daily] for line in bill) for daily in DAILY}
    rows = [
        ["A month, in dollars", *(f"{daily:,} a day" for daily in DAILY)],
        ["---", *("--:" for _ in DAILY)],
        *([line.what, *(f"{line.dollars[daily]:,.0f}" for daily in DAILY)] for line in bill),
        ["Together", *(f"{totals[daily]:,.0f}" for daily in DAILY)],
        ["For 1,000 uploads", *(f"{_of_thousand(totals[each], each):.2f}" for each in DAILY)],
        ["Stored after 12 months, TB", *(f"{_stored(each) / GB_OF_TB:,.1f}" for each in DAILY)],
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _of_thousand(total: float, daily: int) -> float:
    return total / (daily * DAYS) * 1_000


def _monthly_gb(daily: int) -> float:
    return daily * DAYS * MB_EACH / MB_OF_GB


def _stored(daily: int) -> float:
    return _monthly_gb(daily) * MONTHS_KEPT


def _stepped(amount: float, steps: Sequence[tuple[float, float]]) -> float:
    def parts() -> Iterator[float]:
        left = amount
        for width, price in steps:
            yield min(left, width) * price
            left = max(0.0, left - width)

    return sum(parts())


def _storage(daily: int) -> float:
    month = _monthly_gb(daily)
    rare = month * (S3_ARCHIVE_DAYS - S3_RARE_DAYS) / DAYS
    archived = month * (MONTHS_KEPT - S3_ARCHIVE_DAYS / DAYS)
    watched = daily * DAYS / 1_000 * (MONTHS_KEPT * S3_WATCHED + S3_MOVED)
    fresh = _stepped(month * S3_RARE_DAYS / DAYS, S3_STEPS)
    return fresh + rare * S3_RARE + archived * S3_ARCHIVE + watched


def _requests(daily: int) -> float:
    return daily * DAYS / 1_000 * (REQUESTS_EACH * S3_PUTS + READS_EACH * S3_GETS)


def _copies(daily: int) -> float:
    return _monthly_gb(daily) * COPY_GB + _stored(daily) * COPY_KEPT


def _scan(daily: int) -> float:
    return _monthly_gb(daily) * SCAN_GB + daily * DAYS / 1_000 * SCAN_OBJECTS


def _task(cpu: int, memory: int) -> float:
    return (cpu / 1024 * VCPU_HOUR + memory / 1024 * GIB_HOUR) * HOURS


def _workers(daily: int) -> float:
    size = PRODUCTION.worker
    each = _task(size.cpu, size.memory)
    needed = daily * WORK_EACH / SECONDS_OF_DAY / (size.cpu / 1024) / BUSY
    above = max(0.0, needed - size.least)
    return (size.least + above * (1 - SPOT_SHARE + SPOT_SHARE * SPOT_PRICE)) * each


def _api(daily: int) -> float:
    size = PRODUCTION.api
    peak = daily * CALLS_EACH / SECONDS_OF_DAY * PEAK * CALL_SECONDS / (size.cpu / 1024) / BUSY
    return max(size.least, ceil(peak)) * _task(size.cpu, size.memory)


def _database(daily: int) -> float:
    _, price = DATABASES[daily]
    rows = daily * DAYS * MONTHS_KEPT * KB_OF_ROW / 1_000_000  # GB
    return price * HOURS + max(PRODUCTION.database.storage, rows) * DATABASE_GB


def _door(daily: int) -> float:
    calls = daily * DAYS * CALLS_EACH / 1_000_000
    gb = daily * DAYS * EVENT_KB_EACH / 1_000_000
    units = max(1.0, gb / HOURS / LCU_GB)
    return (BALANCER_HOUR + units * LCU_HOUR) * HOURS + ACL + RULES * RULE + calls * CHECKED


def _queues(daily: int) -> float:
    million = daily * DAYS / 1_000_000
    return million * (MESSAGES_EACH * (SQS_MILLION + FAIR_MILLION / 2) + EVENTS_MILLION)


def _network(daily: int) -> float:
    gb = daily * DAYS * (MESSAGES_EACH + LOG_KB_EACH) / 1_000_000
    endpoints = ENDPOINTS * len(PRODUCTION.zones) * ENDPOINT_HOUR * HOURS + gb * ENDPOINT_GB
    return endpoints + (NAT_HOUR * HOURS if PRODUCTION.api_goes_out else 0)


def _downloads(daily: int) -> float:
    return _stepped(_monthly_gb(daily) * VIEWS_EACH * VIEWED_SHARE, OUT_STEPS)


def _watching(daily: int) -> float:
    million = daily * DAYS / 1_000_000
    logged = million * LOG_KB_EACH * LOGS_GB
    traced = million * TRACED_SHARE * TRACE_MILLION
    # A process more is a series more for the few metrics that say which process they are of.
    metrics = METRICS * METRIC * (1 + log10(max(1.0, daily / DAILY[0])))
    return logged + traced + metrics + ALARMS * ALARM + KEYS * KEY + SECRETS * SECRET


if __name__ == "__main__":
    sys.stdout.write(table())
