"""Who is told of what: alarms from our objectives and AWS's metrics, a dashboard, a budget."""

from datetime import timedelta

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from laydown_infra.collector import DIMENSION
from laydown_infra.config import StageConfig
from laydown_infra.data import DataStack
from laydown_infra.ingest import IngestStack
from laydown_infra.objectives import Burn, Objective, Selection, Symptom, read
from laydown_infra.service import ServiceStack

_DAY = timedelta(days=1)
"""The longest period of a metric in CloudWatch. A longer window is several, all of which burn."""

_MINUTE = Duration.minutes(1)
_BUSY = 80  # percent of the database's CPU
_IN_USE = 0.75  # of the connections that the database takes
_ROOM = 10 * 1024**3  # bytes free on its disk
_GREATER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING


class MonitoringStack(Stack):
    """What looks at all the others. Nothing depends on it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: StageConfig,
        ingest: IngestStack,
        data: DataStack,
        service: ServiceStack,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._key = self._make_key()
        self._pages, self._tickets = self._topic("Pages"), self._topic("Tickets")
        self._seen: list[cloudwatch.IAlarm] = []
        found = read()
        for objective in found.objectives:
            for burn in found.burns:
                self._watch_budget(objective, burn)
        for symptom in found.symptoms:
            self._watch_symptom(symptom)
        self._watch_queues(ingest)
        self._watch_database(data)
        self._watch_api(service)
        self._draw(ingest, data, service)
        self._limit_spending()

    def _make_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description="laydown: alarms on their way",
            enable_key_rotation=True,
            # Nothing lasts in a topic; in production a key stays all the same, as all of them do.
            removal_policy=(
                RemovalPolicy.RETAIN if self._stage.is_protected else RemovalPolicy.DESTROY
            ),
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                resources=["*"],  # this key
                conditions={"StringEquals": {"aws:SourceAccount": self._stage.account}},
            )
        )
        return key

    def _topic(self, name: str) -> sns.Topic:
        topic = sns.Topic(
            self,
            name,
            topic_name=f"{self._stage.prefix}-{name.lower()}",
            master_key=self._key,
            enforce_ssl=True,
        )
        # A topic with a policy of its own has lost the default one, by which alarms are let in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self._stage.account}},
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription(self._stage.on_call))
        return topic

    def _watch_budget(self, objective: Objective, burn: Burn) -> None:
        """Tell when an error budget burns too fast, over the long window and over the short."""
        both = [
            self._burning(objective, burn, window, name)
            for window, name in ((burn.long, "Long"), (burn.short, "Short"))
        ]
        alarm = cloudwatch.CompositeAlarm(
            self,
            f"{objective.name.capitalize()}{burn.name.capitalize()}",
            composite_alarm_name=f"{self._stage.prefix}-{objective.name}-{burn.name}",
            alarm_description=f"{objective.promise} Burns {burn.name}. {objective.action}",
            alarm_rule=cloudwatch.AlarmRule.all_of(
                *(
                    cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM)
                    for each in both
                )
            ),
        )
        self._tell(alarm, is_urgent=burn.is_urgent)

    def _burning(
        self, objective: Objective, burn: Burn, window: timedelta, name: str
    ) -> cloudwatch.Alarm:
        period = min(window, _DAY)
        metrics = {
            "bad": self._metric(objective.bad, "Sum", period),
            "total": self._metric(objective.total, "Sum", period),
        }
        ratio = cloudwatch.MathExpression(
            expression=f"IF(total > {objective.least}, FILL(bad, 0) / total, 0)",
            using_metrics=metrics,
            label=f"{objective.name}: failures of all, in {window}",
            period=_duration(period),
        )
        times = window // period
        return cloudwatch.Alarm(
            self,
            f"{objective.name.capitalize()}{burn.name.capitalize()}{name}",
            alarm_name=f"{self._stage.prefix}-{objective.name}-{burn.name}-{name.lower()}",
            alarm_description=f"{objective.promise} This window alone tells nobody.",
            metric=ratio,
            threshold=burn.factor * objective.budget,
            comparison_operator=_GREATER,
            evaluation_periods=times,
            datapoints_to_alarm=times,
            treat_missing_data=_QUIET,
        )

    def _watch_symptom(self, symptom: Symptom) -> None:
        period = symptom.growth or timedelta(minutes=1)
        times = max(1, symptom.hold // period)
        is_low = symptom.below is not None
        if symptom.is_missing:
            threshold, is_low = -1.0, True  # no number is so low: only silence is
        else:
            found = symptom.below if is_low else symptom.above
            assert found is not None, f"{symptom.name} says neither above nor below what"
            threshold = found
        alarm = cloudwatch.Alarm(
            self,
            symptom.name,
            alarm_name=f"{self._stage.prefix}-{symptom.name}",
            alarm_description=f"{symptom.says} {symptom.action}",
            metric=self._metric(symptom.selection, symptom.statistic, period),
            threshold=threshold,
            comparison_operator=_LESS if is_low else _GREATER,
            evaluation_periods=times,
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING if symptom.is_missing else _QUIET
            ),
        )
        self._tell(alarm, is_urgent=symptom.is_urgent)

    def _watch_api(self, service: ServiceStack) -> None:
        """Tell people, too, what a deployment goes back on."""
        alarm = cloudwatch.CompositeAlarm(
            self,
            "Api",
            composite_alarm_name=f"{self._stage.prefix}-Api",
            alarm_description="The api fails or is slow; a deployment that bakes goes back.",
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(
                    cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM)
                    for each in service.alarms
                )
            ),
        )
        self._tell(alarm, is_urgent=True)

    def _watch_queues(self, ingest: IngestStack) -> None:
        for name, queue, dead in (
            ("Jobs", ingest.jobs, ingest.jobs_dead),
            ("Notices", ingest.notices, ingest.notices_dead),
        ):
            self._alarm(
                f"{name}Dead",
                "Messages nobody could deal with. See the runbook: redrive.",
                dead.metric_approximate_number_of_messages_visible(
                    period=_MINUTE, statistic="Maximum"
                ),
                above=0,
                times=1,
            )
            self._alarm(
                f"{name}Old",
                "A message has waited for over five minutes: do workers run?",
                queue.metric_approximate_age_of_oldest_message(period=_MINUTE, statistic="Maximum"),
                above=300,
                times=5,
                is_urgent=True,
            )

    def _watch_database(self, data: DataStack) -> None:
        database = data.database
        self._alarm(
            "DatabaseBusy",
            "The database's CPU is busy. See the slowest statements in its insights.",
            database.metric_cpu_utilization(period=_MINUTE),
            above=_BUSY,
            times=15,
        )
        self._alarm(
            "DatabaseConnections",
            "More connections than planned. Fewer tasks, or a larger instance.",
            database.metric_database_connections(period=_MINUTE, statistic="Maximum"),
            above=int(_IN_USE * self._stage.database.connections),
            times=5,
        )
        alarm = cloudwatch.Alarm(
            self,
            "DatabaseFull",
            alarm_name=f"{self._stage.prefix}-DatabaseFull",
            alarm_description="The database's disk is nearly full, and has not grown by itself.",
            metric=database.metric_free_storage_space(period=_MINUTE, statistic="Minimum"),
            threshold=_ROOM,
            comparison_operator=_LESS,
            evaluation_periods=5,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )
        self._tell(alarm, is_urgent=True)

    def _alarm(
        self,
        id: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        times: int,
        is_urgent: bool = False,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_name=f"{self._stage.prefix}-{id}",
            alarm_description=description,
            metric=metric,
            threshold=above,
            comparison_operator=_GREATER,
            evaluation_periods=times,
            treat_missing_data=_QUIET,
        )
        self._tell(alarm, is_urgent=is_urgent)

    def _tell(self, alarm: cloudwatch.AlarmBase, *, is_urgent: bool) -> None:
        topic = self._pages if is_urgent else self._tickets
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        self._seen.append(alarm)

    def _metric(self, selection: Selection, statistic: str, period: timedelta) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._stage.prefix,
            metric_name=selection.metric,
            dimensions_map={**DIMENSION, **selection.labels},
            statistic=statistic,
            period=_duration(period),
        )

    def _draw(self, ingest: IngestStack, data: DataStack, service: ServiceStack) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._stage.prefix)
        requests = service.balancer.metrics
        board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._seen, width=24))
        for title, left, right in (
            ("Requests, and seconds", [requests.request_count()], _latencies(service)),
            (
                "Jobs waiting, and seconds of the oldest",
                [ingest.jobs.metric_approximate_number_of_messages_visible()],
                [ingest.jobs.metric_approximate_age_of_oldest_message()],
            ),
            (
                "The database: CPU, and connections",
                [data.database.metric_cpu_utilization()],
                [data.database.metric_database_connections()],
            ),
            (
                "CPU of api and worker",
                [service.api.metric_cpu_utilization()],
                [service.worker.metric_cpu_utilization()],
            ),
        ):
            board.add_widgets(cloudwatch.GraphWidget(title=title, left=left, right=right, width=12))

    def _limit_spending(self) -> None:
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self._stage.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=self._stage.monthly_budget, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:stage${self._stage.name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=threshold,
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            address=self._stage.on_call, subscription_type="EMAIL"
                        )
                    ],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )


def _latencies(service: ServiceStack) -> list[cloudwatch.IMetric]:
    return [
        service.balancer.metrics.target_response_time(statistic=each)
        for each in ("p50", "p95", "p99")
    ]


def _duration(span: timedelta) -> Duration:
    return Duration.seconds(int(span.total_seconds()))
