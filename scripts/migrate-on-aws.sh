#!/usr/bin/env bash
# Runs the migration of a stage and waits for it: migrate-on-aws.sh PREFIX OUTPUTS, where OUTPUTS is
# what `cdk deploy --outputs-file` wrote of the stacks PREFIX-network and PREFIX-migration. Ends as
# the migration did.
set -euo pipefail
prefix=$1 outputs=$2

said() { # said STACK NAME: the outputs of a stack whose names begin so
    python3 -c 'import json, sys
outputs = json.load(open(sys.argv[1]))[sys.argv[2]]
print(",".join(value for name, value in sorted(outputs.items()) if name.startswith(sys.argv[3])))' \
        "$outputs" "$prefix-$1" "$2"
}

network="awsvpcConfiguration={subnets=[$(said network MigrationSubnet)],securityGroups=[$(said network MigrationGroup)]}"
task=$(aws ecs run-task --cluster "$prefix" --task-definition "$(said migration MigrationTask)" --launch-type FARGATE \
    --network-configuration "$network" --query 'tasks[0].taskArn' --output text)
[ "$task" != None ] || { echo "migrate: Fargate has no room for the task: try again" >&2; exit 1; }
echo "migrate: $task" >&2
aws ecs wait tasks-stopped --cluster "$prefix" --tasks "$task"
# What never started has no exit code.
how=$(aws ecs describe-tasks --cluster "$prefix" --tasks "$task" --output text \
    --query "tasks[0].[containers[?name=='migrate'].exitCode | [0], stoppedReason]")
echo "migrate: $how" >&2
[ "${how%%$'\t'*}" = 0 ]
