"""Who may deploy."""

from tests.conftest import Templates
from tests.reading import resources


def test_only_one_repository_in_one_environment_takes_the_roles(
    templates: Templates, cell: str
) -> None:
    """A pull request of a stranger, or another branch's environment, gets nothing."""
    stage = cell.split("-")[1]
    roles = resources(templates[f"{cell}-deployer"], "AWS::IAM::Role")
    assert {role["RoleName"] for role in roles.values()} == {f"{cell}-releaser", f"{cell}-deployer"}
    for role in roles.values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": (
                    f"repo:example/laydown:environment:{stage}"
                ),
            }
        }


def test_there_is_no_long_lived_key(templates: Templates) -> None:
    """No user, and no access key, anywhere."""
    for name, template in templates.items():
        kinds = {resource["Type"] for resource in template["Resources"].values()}
        assert not kinds & {"AWS::IAM::User", "AWS::IAM::AccessKey"}, name
