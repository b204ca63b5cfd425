"""The knobs: each a field with its type, its meaning and what it is when nobody says anything."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from laydown.domain.filetypes import PROGRAM_EXTENSIONS
from laydown.domain.names import JUNK_PATTERNS
from laydown.domain.plan import LARGEST_FILE, MIB, SINGLE_UP_TO


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """How this process is set up. Each field is the variable `LAYDOWN_<NAME>`."""

    data: Annotated[
        Path,
        "The data directory: Postgres, stored bytes, keys and logs live below it. The commands "
        "use your user data folder when nothing is said.",
    ] = Path("laydown-data")
    host: Annotated[
        str,
        "The address the API listens on. Anything but a loopback address lets others in.",
    ] = "127.0.0.1"
    port: Annotated[
        int,
        "The port the API listens on; 0 lets the system choose one.",
    ] = 8383
    proxies: Annotated[
        tuple[str, ...],
        "Networks or addresses, such as `10.0.0.0/8`, separated by commas, of the proxies before "
        "us: what these say in `X-Forwarded-For`, `-Proto` and `-Host` is believed; none: nobody.",
    ] = ()
    origins: Annotated[
        tuple[str, ...],
        "Origins, such as `https://portal.example`, separated by commas, whose pages may call the "
        "API from a browser and send to the store; none: only pages that we serve.",
    ] = ()
    database: Annotated[
        str | None,
        "A Postgres (15 or later) to use, as a libpq connection string or URL; "
        "none: the one that comes with laydown, in the data directory.",
    ] = None
    database_password: Annotated[
        str | None,
        "The password for it, where that shouldn't stand in LAYDOWN_DATABASE; none: what that "
        "says. It is shown in no log and no message.",
    ] = field(default=None, repr=False)
    database_iam: Annotated[
        str | None,
        "The AWS region in which each connection is opened with a token of IAM instead of a "
        "password, for RDS; LAYDOWN_DATABASE then says `host`, `user` and `sslmode=verify-full`.",
    ] = None
    database_connections: Annotated[
        int,
        "How many connections a process may open for the requests or jobs of organizations; four "
        "more serve what is asked across them.",
    ] = 10
    store: Annotated[
        str | None,
        "Where bytes are kept: `s3://BUCKET?endpoint=URL&region=NAME` for anything that speaks S3 "
        "(no endpoint: Amazon's; `&public=URL` is the endpoint as clients reach it); none: in the "
        "data directory. Credentials come from where AWS's tools look for them.",
    ] = None
    legacy_store: Annotated[
        str | None,
        "The bucket of a system that laydown takes over from, written like LAYDOWN_STORE: what was "
        "imported is read there, and nothing in it is changed; none: there is no such system.",
    ] = None
    legacy_door: Annotated[
        bool,
        "Whether the API answers that system's own routes, `/documents` and what is below it, for "
        "its clients; takes LAYDOWN_LEGACY_STORE, and LAYDOWN_STORE in the same bucket.",
    ] = False
    queue: Annotated[
        str | None,
        "What announces jobs to workers: `sqs://QUEUE?endpoint=URL&region=NAME`; none: workers "
        "look into the database.",
    ] = None
    notices: Annotated[
        str | None,
        "A queue, written like LAYDOWN_QUEUE, with the store's object events and GuardDuty's "
        "results; none: clients and the sweeper say what has arrived.",
    ] = None
    scanner: Annotated[
        str | None,
        "Who looks through files for malware: `clamav://HOST:PORT` or `clamav:///SOCKET`, "
        "`guardduty` (its results come with LAYDOWN_NOTICES), or `none`. `laydown up` uses the "
        "ClamAV it finds when nothing is said; a worker by itself must be told.",
    ] = None
    accept_unscanned: Annotated[
        bool,
        "Whether files that the scanner can't judge are taken all the same; receipts say so.",
    ] = False
    quarantine: Annotated[
        timedelta,
        "How long the bytes of refused files are kept, readable by nobody, because a scanner may "
        "have been wrong; 0: they are deleted at once.",
    ] = timedelta(days=7)
    jobs_in_flight: Annotated[
        int,
        "How many jobs of one organization workers hold, or a queue carries, at once.",
    ] = 256
    flush: Annotated[
        str,
        "How bytes are made durable: `syncfs` once a group of files, `fsync` for each file, or "
        "`auto` for the first where the system has it.",
    ] = "auto"
    url_life: Annotated[
        timedelta,
        "How long a signed URL can be used, 2 to 15 minutes.",
    ] = timedelta(minutes=15)
    single_up_to: Annotated[
        int,
        "Up to this size, in bytes, a file is sent in one request.",
    ] = SINGLE_UP_TO
    largest_file: Annotated[
        int,
        "The largest file that is taken, in bytes.",
    ] = LARGEST_FILE
    accept_empty: Annotated[
        bool,
        "Whether files without a byte are taken.",
    ] = False
    junk: Annotated[
        tuple[str, ...],
        "Name patterns of files that are skipped, separated by commas; docs/reference/names.md "
        "lists those that are built in.",
    ] = JUNK_PATTERNS
    refused_extensions: Annotated[
        tuple[str, ...],
        "Extensions that are never taken, separated by commas; docs/reference/filetypes.md lists "
        "those that are built in.",
    ] = tuple(sorted(PROGRAM_EXTENSIONS))
    body_buffer: Annotated[
        int,
        "Bytes of request bodies that may wait in memory at once, over all connections.",
    ] = 32 * MIB
    body_patience: Annotated[
        timedelta,
        "How long a client may pause inside a body before it is let go; a small one that isn't a "
        "file's must have come by then.",
    ] = timedelta(seconds=30)
    worker_slots: Annotated[
        int,
        "How many groups of jobs a worker does at once.",
    ] = 2
    worker_group: Annotated[
        int,
        "How many files a worker takes up at once.",
    ] = 128
    job_lease: Annotated[
        timedelta,
        "How long a worker holds a job without a sign of life.",
    ] = timedelta(seconds=30)
    worker_metrics: Annotated[
        str | None,
        "Where a worker serves `/metrics` and `/livez`, as `HOST:PORT`; none: nowhere, but "
        "`laydown up` shows its numbers with the API's.",
    ] = None
    upload_silence: Annotated[
        timedelta,
        "How long a declared file may be silent before it expires; longer than a URL lives.",
    ] = timedelta(hours=24)
    batch_silence: Annotated[
        timedelta,
        "How long a batch may be idle before it is closed.",
    ] = timedelta(hours=24)
    sweep_every: Annotated[
        timedelta,
        "How often silent files and idle batches are looked for.",
    ] = timedelta(minutes=5)
    reconcile_every: Annotated[
        timedelta,
        "How often ledger and store are compared.",
    ] = timedelta(hours=6)
    event_heartbeat: Annotated[
        timedelta,
        "How often a silent event stream says that it is still there; shorter than what balancers "
        "in between tolerate.",
    ] = timedelta(seconds=15)
    token_recheck: Annotated[
        timedelta,
        "How soon an event stream ends after its token was revoked.",
    ] = timedelta(seconds=10)
    oidc_issuer: Annotated[
        str | None,
        "The identity provider (OpenID Connect) whose people are let in, as its tokens name it: an "
        "https URL; none: nobody comes but with a secret of ours.",
    ] = None
    oidc_client_id: Annotated[
        str | None,
        "What this server is called at the identity provider.",
    ] = None
    oidc_client_secret: Annotated[
        str | None,
        "The secret it has there; none: it has none, and PKCE alone protects sign-ins. It is shown "
        "in no log and no message.",
    ] = field(default=None, repr=False)
    oidc_audience: Annotated[
        str | None,
        "Whom tokens must be for that come as bearers; none: LAYDOWN_OIDC_CLIENT_ID.",
    ] = None
    oidc_algorithms: Annotated[
        tuple[str, ...],
        "The signatures taken of it, separated by commas: RS, PS or ES with 256, 384 or 512.",
    ] = ("RS256", "PS256", "ES256")
    oidc_skew: Annotated[
        timedelta,
        "How far its clock and ours may be apart, 5 minutes at most.",
    ] = timedelta(seconds=60)
    token_rate: Annotated[
        int,
        "How many requests a second one token, drop link or session may make in the long run; "
        "0: as many as it likes.",
    ] = 100
    token_burst: Annotated[
        int,
        "How many requests a token may make at once after a rest.",
    ] = 6_000
    organization_rate: Annotated[
        int,
        "How many requests a second all tokens of an organization may make together; 0: as many "
        "as they like.",
    ] = 500
    organization_burst: Annotated[
        int,
        "How many requests an organization may make at once after a rest.",
    ] = 30_000
    open_batches: Annotated[
        int,
        "How many batches of an organization may be open at once.",
    ] = 2_000
    event_streams: Annotated[
        int,
        "How many event streams a process serves at once.",
    ] = 2_000
    event_streams_of_token: Annotated[
        int,
        "How many of them one token, drop link or session may have.",
    ] = 200
    answers_kept: Annotated[
        timedelta,
        "How long the answer to a request with an `Idempotency-Key` is kept for its repetition.",
    ] = timedelta(hours=24)
    drain: Annotated[
        timedelta,
        "How long a stopping process may take to finish what it is doing.",
    ] = timedelta(seconds=20)
    otlp: Annotated[
        str | None,
        "A collector that takes telemetry over HTTP as OTLP has it, such as "
        "`http://127.0.0.1:4318`; none: nothing is sent.",
    ] = None
    trace_share: Annotated[
        float,
        "Which share of all traces is sent to the collector, 0 to 1; a batch is in one trace, from "
        "its declaration to its last file.",
    ] = 1.0
    log_level: Annotated[
        str,
        "How much is logged: debug, info, warning or error.",
    ] = "info"
