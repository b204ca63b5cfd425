#!/usr/bin/env bash
# Runs the migration of a stage and waits for it: migrate-on-aws.sh PREFIX OUTPUTS, where OUTPUTS is
# what `cdk deploy --outputs-file` wrote of the stack PREFIX-migration. Ends as the migration did.
set -euo pipefail
prefix=$1 outputs=$2

said() { # said NAME: an output of the stack
    python3 -c 'import json, sys
outputs = json.load(open(sys.argv[1]))[sys.argv[2] + "-migration"]
print(",".join(value for name, value in sorted(outputs.items()) if name.startswith(sys.argv[3])))' \
        "$outputs" "$prefix" "$1"
}

network="awsvpcConfiguration={subnets=[$(said MigrationSubnet)],securityGroups=[$(said MigrationGroup)]}"
task=$(aws ecs run-task --cluster "$prefix" --task-definition "$(said MigrationTask)" --launch-type FARGATE \
    --network-configuration "$network" --query 'tasks[0].taskArn' --output text)
[ "$task" != None ] || { echo "migrate: Fargate has no room for the task: try again" >&2; exit 1; }
echo "migrate: $task" >&2
aws ecs wait tasks-stopped --cluster "$prefix" --tasks "$task"
# What never started has no exit code.
how=$(aws ecs describe-tasks --cluster "$prefix" --tasks "$task" --output text \
    --query "tasks[0].[containers[?name=='migrate'].exitCode | [0], stoppedReason]")
echo "migrate: $how" >&2
[ "${how%%$'\t'*}" = 0 ]
