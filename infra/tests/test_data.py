"""What must outlive everything else."""

import pytest

from laydown_infra import environment
from laydown_infra.config import STAGES, StageConfig
from tests.conftest import Templates
from tests.reading import only, resources


def test_the_ledger_survives_a_zone_and_a_slip(templates: Templates) -> None:
    """Two zones, fourteen days to any second, and neither stack nor click deletes it."""
    data = templates["laydown-production-c1-data"]
    ledger = only(data, "AWS::RDS::DBInstance")
    assert ledger["MultiAZ"] is True
    assert ledger["BackupRetentionPeriod"] == 14
    assert ledger["DeletionProtection"] is True
    resource = next(r for r in data["Resources"].values() if r["Type"] == "AWS::RDS::DBInstance")
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_largest_fleets_do_not_use_up_the_connections(stage: StageConfig) -> None:
    """Not even while a deployment has the api twice, and the schema's owner comes, too."""
    api = environment.API_CONNECTIONS + environment.CONNECTIONS_BESIDE["api"]
    worker = environment.WORKER_CONNECTIONS + environment.CONNECTIONS_BESIDE["worker"]
    owner, kept_by_postgres = 2, 5  # superuser_reserved_connections, and rds's own two
    most = 2 * stage.api.most * api + stage.worker.most * worker + owner + kept_by_postgres
    assert most <= stage.database.connections


def test_no_copy_is_due_while_the_database_is_maintained(templates: Templates, cell: str) -> None:
    """AWS Backup begins none in the window nor in the hour before it: Sunday's would be missing."""
    data = templates[f"{cell}-data"]
    window = only(data, "AWS::RDS::DBInstance")["PreferredMaintenanceWindow"]
    assert window == "sun:03:30-sun:04:30"
    (rule,) = only(data, "AWS::Backup::BackupPlan")["BackupPlan"]["BackupPlanRule"]
    assert rule["ScheduleExpression"] == "cron(0 6 * * ? *)"


def test_a_copy_a_day_goes_to_another_region(templates: Templates) -> None:
    """Into a vault that the other region's stack makes, by the same name."""
    rule = only(templates["laydown-production-c1-data"], "AWS::Backup::BackupPlan")["BackupPlan"][
        "BackupPlanRule"
    ][0]
    vault = only(templates["laydown-production-c1-copies"], "AWS::Backup::BackupVault")
    where = rule["CopyActions"][0]["DestinationBackupVaultArn"]
    assert where == f"arn:aws:backup:us-west-2:222222222222:backup-vault:{vault['BackupVaultName']}"


def test_nobody_speaks_to_postgres_without_tls_or_a_known_name(
    templates: Templates, cell: str
) -> None:
    """TLS is forced; tasks log in with IAM; the owner's password is RDS's own business."""
    data = templates[f"{cell}-data"]
    ledger = only(data, "AWS::RDS::DBInstance")
    parameters = only(data, "AWS::RDS::DBParameterGroup")["Parameters"]
    assert parameters["rds.force_ssl"] == "1"
    assert ledger["EnableIAMDatabaseAuthentication"] is True
    assert ledger["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in ledger
    assert ledger["PubliclyAccessible"] is False


def test_everything_that_is_kept_is_encrypted_with_a_key_that_turns(
    templates: Templates, cell: str
) -> None:
    """The instance, its secret and its insights, each with the stack's key."""
    data = templates[f"{cell}-data"]
    ledger = only(data, "AWS::RDS::DBInstance")
    assert ledger["StorageEncrypted"] is True
    assert ledger["KmsKeyId"] == ledger["MasterUserSecret"]["KmsKeyId"]
    assert only(data, "AWS::KMS::Key")["EnableKeyRotation"] is True


def test_no_template_brings_a_function(templates: Templates) -> None:
    """Custom resources are code that nobody reads: there are none."""
    for name, template in templates.items():
        kinds = {resource["Type"] for resource in template["Resources"].values()}
        assert "AWS::Lambda::Function" not in kinds, name
        assert not {kind for kind in kinds if kind.startswith("Custom::")}, name


def test_stacks_know_each_other_by_exports(templates: Templates) -> None:
    """What another stack uses can't be taken away from under it."""
    assert not [name for name, each in templates.items() if "Fn::GetStackOutput" in str(each)]


def test_what_holds_data_is_protected_in_production(templates: Templates) -> None:
    """Buckets, keys, vaults, images and the instance stay when their stack goes."""
    lasting = {
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::Backup::BackupVault",
        "AWS::ECR::Repository",
        "AWS::RDS::DBInstance",
    }
    for name, template in templates.items():
        if "production" not in name:
            continue
        for place, resource in template["Resources"].items():
            if resource["Type"] in lasting:
                assert resource["DeletionPolicy"] == "Retain", f"{name}/{place}"


def test_logs_are_kept_for_a_while_and_not_for_ever(templates: Templates) -> None:
    """Every log group says how long."""
    for name, template in templates.items():
        for place, group in resources(template, "AWS::Logs::LogGroup").items():
            assert group.get("RetentionInDays"), f"{name}/{place}"


def test_a_template_is_far_from_cloudformations_limits(templates: Templates) -> None:
    """500 resources a stack."""
    assert max(len(template["Resources"]) for template in templates.values()) < 250
