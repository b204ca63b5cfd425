"""What Grafana's dashboards show: panel by panel, each with the question that it answers."""

from collections.abc import Sequence

from tests.repo.alert_rules import RATIO
from tests.repo.objectives import Objective, promises
from tests.repo.panels import GOOD_ABOVE, Board, Panel, by_group, quantile, quantiles, rate

_DELIVERIES = Board(
    key="deliveries",
    title="deliveries",
    says="What becomes of files: how many settle and how, how long they and their batches take.",
    panels=[
        Panel(
            title="Files settled",
            says="Files a second by the state in which they settled.",
            unit="cps",
            series=[("{{state}}", rate("laydown_files_total", "state"))],
        ),
        Panel(
            title="Why files are refused",
            says="Files a second that were rejected, expired or failed, by reason.",
            unit="cps",
            series=[
                (
                    "{{state}}: {{reason}}",
                    rate(
                        "laydown_files_total",
                        "state",
                        "reason",
                        where='{state=~"rejected|expired|failed"}',
                    ),
                )
            ],
        ),
        Panel(
            title="From the last byte until final",
            says="We promise 2 minutes to 99 of 100 files.",
            unit="s",
            limit=120,
            series=quantiles("laydown_file_seconds"),
        ),
        Panel(
            title="Where files spend their time",
            says="Seconds in each state that 95 of 100 files don't exceed.",
            unit="s",
            series=[("{{stage}}", quantile("0.95", "laydown_stage_seconds", "stage"))],
        ),
        Panel(
            title="Batches",
            says="From the first declaration until closed, with every file settled.",
            unit="s",
            series=quantiles("laydown_batch_seconds"),
        ),
        Panel(
            title="Files on their way",
            says="Announced: workers have or will have to do with them. Overdue: with us, and not "
            "moved for 2 minutes.",
            unit="none",
            series=[
                ("announced", "max(laydown_announced_files)"),
                ("overdue", "max(laydown_overdue_files)"),
            ],
        ),
        Panel(
            title="Bytes",
            says="Bytes a second that were called ready, and that came to the byte door.",
            unit="Bps",
            series=[
                ("ready", rate("laydown_file_bytes_total", where='{state="ready"}')),
                ("received", rate("laydown_received_bytes_total")),
            ],
        ),
        Panel(
            title="Waiting for GuardDuty",
            says="Files without a verdict, and for how long the oldest has been.",
            unit="none",
            series=[
                ("files", "max(laydown_unjudged_files)"),
                ("seconds", "max(laydown_unjudged_oldest_seconds)"),
            ],
        ),
    ],
)

_API = Board(
    key="api",
    title="api",
    says="Requests: how many, how many fail, how long they take; and what limits refuse.",
    panels=[
        Panel(
            title="Requests",
            says="Requests a second by how they were answered.",
            unit="reqps",
            series=[("{{method}} {{status}}", rate("laydown_requests_total", "method", "status"))],
        ),
        Panel(
            title="Failing routes",
            says="Requests a second that were answered with a 5xx.",
            unit="reqps",
            series=[
                (
                    "{{method}} {{route}} {{status}}",
                    rate(
                        "laydown_requests_total",
                        "method",
                        "route",
                        "status",
                        where='{status=~"5.."}',
                    ),
                )
            ],
        ),
        Panel(
            title="Slow routes",
            says="Seconds that 95 of 100 requests don't exceed, of the ten slowest routes.",
            unit="s",
            series=[
                ("{{route}}", f"topk(10, {quantile('0.95', 'laydown_request_seconds', 'route')})")
            ],
        ),
        Panel(
            title="Under way",
            says="Requests, bodies and event streams at this moment.",
            unit="none",
            series=[
                ("requests", "sum(laydown_requests_in_flight)"),
                ("bodies", "sum(laydown_bodies_in_flight)"),
                ("event streams", "sum(laydown_event_streams)"),
            ],
        ),
        Panel(
            title="Bodies",
            says="Bodies a second that the byte door let in, and that were refused, by code.",
            unit="reqps",
            series=[
                ("let in", rate("laydown_bodies_total")),
                ("{{code}}", rate("laydown_refused_bodies_total", "code")),
            ],
        ),
        Panel(
            title="Refused for their number",
            says="Requests a second over a limit, and answers that were given again.",
            unit="reqps",
            series=[
                ("{{limit}}", rate("laydown_refused_requests_total", "limit")),
                ("repeated", rate("laydown_repeated_answers_total")),
            ],
        ),
        Panel(
            title="Processor",
            says="Seconds of processor a second.",
            unit="none",
            series=[
                (
                    "{{instance}}",
                    rate("laydown_cpu_seconds_total", "instance", where='{process="api"}'),
                )
            ],
        ),
        Panel(
            title="Memory",
            says="What each process holds.",
            unit="bytes",
            series=[("{{instance}}", 'laydown_memory_bytes{process="api"}')],
        ),
    ],
)

_WORKER = Board(
    key="worker",
    title="worker",
    says="Use, saturation and errors of workers, and the queue before them.",
    panels=[
        Panel(
            title="Slots",
            says="Groups of jobs that are being done, of as many as can be.",
            unit="none",
            series=[
                ("busy", "sum(laydown_worker_busy_slots)"),
                ("slots", "sum(laydown_worker_slots)"),
                ("jobs held", "sum(laydown_worker_jobs)"),
            ],
        ),
        Panel(
            title="Queue",
            says="Jobs in the ledger.",
            unit="none",
            series=[
                ("waiting", "max(laydown_queue_waiting)"),
                ("running", "max(laydown_queue_running)"),
                ("dead", "max(laydown_queue_dead)"),
            ],
        ),
        Panel(
            title="The oldest job that waits",
            says="Seconds since it was due.",
            unit="s",
            limit=120,
            series=[("oldest", "max(laydown_queue_oldest_seconds)")],
        ),
        Panel(
            title="Jobs",
            says="Jobs a second by kind and how they ended.",
            unit="cps",
            series=[("{{kind}}: {{end}}", rate("laydown_jobs_total", "kind", "end"))],
        ),
        Panel(
            title="Groups of jobs",
            says="Seconds that 95 of 100 groups don't exceed.",
            unit="s",
            series=[("{{kind}}", quantile("0.95", "laydown_job_seconds", "kind"))],
        ),
        Panel(
            title="Messages",
            says="A second: jobs that the relay announced, notices that were heard, messages that "
            "are not ours.",
            unit="cps",
            series=[
                ("announced", rate("laydown_announced_jobs_total")),
                ("{{kind}}", rate("laydown_notices_total", "kind")),
                ("strange: {{queue}}", rate("laydown_strange_messages_total", "queue")),
            ],
        ),
        Panel(
            title="Put right",
            says="What the sweeper found, in an hour.",
            unit="none",
            series=[("{{what}}", "sum by (what)(increase(laydown_swept_total[1h]))")],
        ),
        Panel(
            title="Processor and memory",
            says="Seconds of processor a second, and gigabytes held.",
            unit="none",
            series=[
                (
                    "processor {{instance}}",
                    rate("laydown_cpu_seconds_total", "instance", where='{process="worker"}'),
                ),
                ("GB {{instance}}", 'laydown_memory_bytes{process="worker"} / 1e9'),
            ],
        ),
    ],
)

_STORE = Board(
    key="store",
    title="store and database",
    says="What everything stands on.",
    panels=[
        Panel(
            title="Store",
            says="1 while flushes succeed. A store on S3 has no such number.",
            unit="none",
            kind="stat",
            width=6,
            limit=1,
            colors=GOOD_ABOVE,
            series=[("healthy", "min(laydown_store_healthy)")],
        ),
        Panel(
            title="Bytes lost",
            says="Of content that the ledger has and the store has no more, in 30 days.",
            unit="bytes",
            kind="stat",
            width=6,
            limit=1,
            series=[("lost", "sum(increase(laydown_bytes_lost_total[30d]))")],
        ),
        Panel(
            title="Room on the disk",
            says="Bytes free where the store is.",
            unit="bytes",
            series=[("{{instance}}", "laydown_store_free_bytes")],
        ),
        Panel(
            title="A group's commit",
            says="Seconds for a group of parts: to flush it, to record it.",
            unit="s",
            series=[
                (
                    "flush",
                    by_group("laydown_flush_seconds_total"),
                ),
                (
                    "record",
                    by_group("laydown_record_seconds_total"),
                ),
            ],
        ),
        Panel(
            title="Parts in a group",
            says="How many bodies share a flush.",
            unit="none",
            series=[
                (
                    "parts",
                    by_group("laydown_grouped_parts_total"),
                )
            ],
        ),
        Panel(
            title="Connections to the database",
            says="Open, by process and role.",
            unit="none",
            series=[
                (
                    "{{process}} {{role}}",
                    "sum by (process, role)(laydown_database_connections)",
                )
            ],
        ),
        Panel(
            title="Waiting for a connection",
            says="Requests and jobs; for long, and there are too few connections.",
            unit="none",
            series=[("{{process}} {{role}}", "sum by (process, role)(laydown_database_waiting)")],
        ),
    ],
)


def _budget(objective: Objective) -> Panel:
    bad, total = objective.bad.promql, objective.total.promql
    window = objective.window
    ratio = f"(sum(increase({bad}[{window}])) or vector(0)) / sum(increase({total}[{window}]))"
    return Panel(
        title=f"{objective.title}: budget left",
        says=f"{objective.promise} Of what may fail in {window}, this part is left.",
        unit="percentunit",
        kind="stat",
        width=8,
        floor=None,
        limit=0.1,
        colors=GOOD_ABOVE,
        series=[("left", f"1 - {ratio} / {objective.budget}")],
    )


def _burning(objective: Objective) -> Panel:
    said = promises()
    series = [
        (window, f'{RATIO}{window}{{objective="{objective.key}"}} / {objective.budget}')
        for window in said.windows
    ]
    return Panel(
        title=f"{objective.title}: how fast it burns",
        says="Times the rate that would use up the budget exactly; the line is where a page goes "
        "out when it is seen over an hour.",
        unit="none",
        width=24,
        limit=max(burn.factor for burn in said.burns),
        series=series,
    )


_OBJECTIVES = Board(
    key="objectives",
    title="objectives",
    says="What is promised, and how much of what may fail is left. Needs the recording rules.",
    span="7d",
    panels=[
        *(_budget(objective) for objective in promises().objectives),
        *(_burning(objective) for objective in promises().objectives),
    ],
)

BOARDS: Sequence[Board] = (_DELIVERIES, _API, _WORKER, _STORE, _OBJECTIVES)
