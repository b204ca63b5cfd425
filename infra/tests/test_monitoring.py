"""Who is told of what."""

import json
from datetime import timedelta

from laydown_infra.objectives import read
from tests.conftest import Templates
from tests.reading import actions, only, resources


def test_every_promise_is_watched_over_every_window(templates: Templates, cell: str) -> None:
    """A fast, a steady and a slow burn each, that fire when both of their windows do."""
    composite = resources(templates[f"{cell}-monitoring"], "AWS::CloudWatch::CompositeAlarm")
    names = {alarm["AlarmName"] for alarm in composite.values()}
    found = read()
    for objective in found.objectives:
        for burn in found.burns:
            assert f"{cell}-{objective.name}-{burn.name}" in names


def test_thresholds_are_the_factor_of_the_budget(templates: Templates, cell: str) -> None:
    """99.9 % of requests: the fast burn is told of at 1.44 % failures, in an hour."""
    alarms = {
        alarm["AlarmName"]: alarm
        for alarm in resources(templates[f"{cell}-monitoring"], "AWS::CloudWatch::Alarm").values()
    }
    alarm = alarms[f"{cell}-requests-fast-long"]
    assert abs(alarm["Threshold"] - 0.0144) < 1e-9
    periods = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert periods == {3600}
    assert alarm["EvaluationPeriods"] == 1


def test_no_alarm_looks_back_further_than_cloudwatch_does(templates: Templates, cell: str) -> None:
    """A week for periods of an hour or more, a day for shorter ones; no period is over a day."""
    for alarm in resources(templates[f"{cell}-monitoring"], "AWS::CloudWatch::Alarm").values():
        periods = [
            query["MetricStat"]["Period"]
            for query in alarm.get("Metrics", [])
            if "MetricStat" in query
        ] or [alarm["Period"]]
        span = timedelta(seconds=max(periods) * alarm["EvaluationPeriods"])
        assert max(periods) <= 86_400
        assert span <= (timedelta(days=7) if min(periods) >= 3600 else timedelta(days=1))


def test_silence_is_an_alarm_only_where_it_is_said(templates: Templates, cell: str) -> None:
    """No worker at all sends no numbers, which must not look like peace."""
    breaching = {
        alarm["AlarmName"]
        for alarm in resources(templates[f"{cell}-monitoring"], "AWS::CloudWatch::Alarm").values()
        if alarm["TreatMissingData"] == "breaching"
    }
    assert breaching == {f"{cell}-{each.name}" for each in read().symptoms if each.is_missing}


def test_the_collector_sends_what_alarms_ask_for(templates: Templates, cell: str) -> None:
    """Every metric of an alarm is declared with the very dimensions that the alarm names."""
    task = only(templates[f"{cell}-service"], "AWS::ECS::TaskDefinition", "WorkerTask")
    (beside,) = [each for each in task["ContainerDefinitions"] if each["Name"] == "collector"]
    (given,) = [each["Value"] for each in beside["Environment"]]
    text = (
        given
        if isinstance(given, str)
        else "".join(piece if isinstance(piece, str) else "LOG" for piece in given["Fn::Join"][1])
    )
    configuration = json.loads(text)
    assert "resourcedetection" in configuration["service"]["pipelines"]["metrics"]["processors"]
    exporter = configuration["exporters"]["awsemf"]
    assert exporter["log_stream_name"] == "{TaskId}"
    assert exporter["namespace"] == cell
    declared = {
        (each["metric_name_selectors"][0].strip("^$"), frozenset(each["dimensions"][0]))
        for each in exporter["metric_declarations"]
    }
    asked = set()
    for alarm in resources(templates[f"{cell}-monitoring"], "AWS::CloudWatch::Alarm").values():
        metrics = [
            query["MetricStat"]["Metric"]
            for query in alarm.get("Metrics", [])
            if "MetricStat" in query
        ] or [alarm]
        asked |= {
            (metric["MetricName"], frozenset(each["Name"] for each in metric["Dimensions"]))
            for metric in metrics
            if metric["Namespace"] == cell
        }
    assert asked
    assert asked <= declared


def test_every_alarm_of_people_tells_somebody(templates: Templates, cell: str) -> None:
    """By a topic, when it begins and when it ends; halves of composite ones tell nobody."""
    monitoring = templates[f"{cell}-monitoring"]
    told = [
        *resources(monitoring, "AWS::CloudWatch::CompositeAlarm").values(),
        *(
            alarm
            for alarm in resources(monitoring, "AWS::CloudWatch::Alarm").values()
            if not alarm["AlarmName"].endswith(("-long", "-short"))
        ),
    ]
    for alarm in told:
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert len(alarm["AlarmActions"]) == 1


def test_alarms_may_publish(templates: Templates, cell: str) -> None:
    """A topic's own policy takes the place of the default one, which would let them."""
    policies = resources(templates[f"{cell}-monitoring"], "AWS::SNS::TopicPolicy")
    assert len(policies) == 2
    for policy in policies.values():
        (allowed,) = (
            each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
        )
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert actions(allowed) == {"sns:Publish"}
