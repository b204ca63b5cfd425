"""The way in: the bucket that clients send to, the queues, and the scanner between them.

Nothing here needs a function: the bucket's notifications are its own property, so the template can
be read and applied by anybody, an emulator included (`tests/infra`).
"""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from laydown_infra.config import Scanner, StageConfig
from laydown_infra.replication import replicate
from laydown_infra.rights import OBJECTS, OUR_TAG

SCAN_TAG = "GuardDutyMalwareScanStatus"
CLEAN = "NO_THREATS_FOUND"

_PREFIX = OBJECTS.removesuffix("*")
_NOTHING = f"{_PREFIX}00000000-0000-0000-0000-000000000000/*"
"""No object ever has such a key. laydown asks for one to see whether its store answers, and has to
hear that there is none: a denial would keep the api from ever being ready."""

_RECEIVES = 5
"""After so many a message is for people to look at: laydown has dropped what it can't read by then,
and what it can read fails for a reason."""

_UNFINISHED = Duration.days(7)  # uploads that nobody finishes; a client may be away for a weekend
_REFUSED = Duration.days(8)  # a day more than LAYDOWN_QUARANTINE: the worker deletes them itself
_DELETED = Duration.days(30)  # for which an object that was deleted can be brought back


class IngestStack(Stack):
    """What holds people's files, and what tells of them."""

    def __init__(self, scope: Construct, id: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id, termination_protection=stage.is_protected)
        self._stage = stage
        self._fate = RemovalPolicy.RETAIN if stage.is_protected else RemovalPolicy.DESTROY
        self.key = self._make_key()
        self.jobs, self.jobs_dead = self._make_queue("Jobs", hidden_for=Duration.minutes(1))
        self.notices, self.notices_dead = self._make_queue(
            "Notices", hidden_for=Duration.minutes(1)
        )
        self.access_log = self._make_access_log()
        self.bucket = self._make_bucket()
        self._notify()
        self._quarantine()
        self.scan_role: iam.Role | None = None
        if stage.scanner is Scanner.GUARDDUTY:
            self.scan_role = self._scan()
            self._gate(self.scan_role)
        if stage.copy_region is not None:
            replicate(self, self.bucket, self.key, stage=stage, region=stage.copy_region)

    def _make_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description="laydown: files, and what is said about them",
            enable_key_rotation=True,
            removal_policy=self._fate,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThoseWhoSendToTheQueues",
                principals=[
                    iam.ServicePrincipal("s3.amazonaws.com"),
                    iam.ServicePrincipal("events.amazonaws.com"),
                ],
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                resources=["*"],  # this key
                conditions={"StringEquals": {"aws:SourceAccount": self._stage.account}},
            )
        )
        return key

    def _make_queue(self, id: str, *, hidden_for: Duration) -> tuple[sqs.Queue, sqs.Queue]:
        """Make a standard queue and the one where its messages end that nobody could deal with.

        laydown sends jobs with the organization as message group, which is all that fair queues
        ask for; see docs/decisions/0016-fairness-is-ours.md.
        """
        name = f"{self._stage.prefix}-{id.lower()}"
        dead = sqs.Queue(
            self,
            f"{id}Dead",
            queue_name=f"{name}-dead",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self.key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[
                    sqs.Queue.from_queue_arn(
                        self, f"{id}Source", self.format_arn(service="sqs", resource=name)
                    )
                ],
            ),
        )
        queue = sqs.Queue(
            self,
            id,
            queue_name=name,
            retention_period=Duration.days(14),
            visibility_timeout=hidden_for,  # laydown says for how long with each request
            receive_message_wait_time=Duration.seconds(20),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self.key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=_RECEIVES),
        )
        return queue, dead

    def _make_access_log(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLog",
            encryption=s3.BucketEncryption.S3_MANAGED,  # all that S3's own logging can write to
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=self._fate,
        )

    def _make_bucket(self) -> s3.Bucket:
        origins = [f"https://{self._stage.domain}", *self._stage.page_origins]
        return s3.Bucket(
            self,
            "Files",
            bucket_name=self._stage.files_bucket,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            server_access_logs_bucket=self.access_log,
            server_access_logs_prefix="files/",
            removal_policy=self._fate,
            cors=[
                s3.CorsRule(
                    id="laydown",
                    allowed_origins=origins,
                    allowed_methods=[s3.HttpMethods.PUT, s3.HttpMethods.GET, s3.HttpMethods.HEAD],
                    allowed_headers=["*"],
                    exposed_headers=["ETag", "x-amz-checksum-crc64nvme", "x-amz-version-id"],
                    max_age=3600,
                )
            ],
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="laydown-stale",
                    prefix=_PREFIX,
                    abort_incomplete_multipart_upload_after=_UNFINISHED,
                ),
                s3.LifecycleRule(
                    id="laydown-rejected",
                    prefix=_PREFIX,
                    tag_filters={OUR_TAG: "rejected"},
                    expiration=_REFUSED,
                ),
                s3.LifecycleRule(
                    id="laydown-hidden",
                    prefix=_PREFIX,
                    expired_object_delete_marker=True,
                    noncurrent_version_expiration=_DELETED,
                ),
                s3.LifecycleRule(
                    id="laydown-rarely-read",
                    prefix=_PREFIX,
                    object_size_greater_than=128 * 1024,  # smaller ones are never moved
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                            transition_after=Duration.days(0),
                        )
                    ],
                ),
            ],
        )

    def _notify(self) -> None:
        """Let S3 tell the queue of every object that is whole."""
        self.notices.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NewsOfTheBucket",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.notices.queue_arn],
                # By its fixed name: a reference would make it and the policy wait for each other.
                conditions={
                    "StringEquals": {"aws:SourceAccount": self._stage.account},
                    "ArnEquals": {"aws:SourceArn": self._stage.files_arn},
                },
            )
        )
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            # GuardDuty hears of objects by EventBridge, and would switch it on by itself: then the
            # next change of this configuration would switch it off, and nothing be scanned.
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=self._stage.scanner is Scanner.GUARDDUTY
            ),
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.notices.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=_PREFIX)]
                        )
                    ),
                )
            ],
        )
        self.bucket.node.add_dependency(self.notices.node.find_child("Policy"))

    def _quarantine(self) -> None:
        """Keep refused content from everybody, word for word as laydown's doctor wants it."""
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LaydownQuarantine",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[f"{self._stage.files_arn}/{OBJECTS}"],
                conditions={"StringEquals": {f"s3:ExistingObjectTag/{OUR_TAG}": "rejected"}},
            )
        )

    def _scan(self) -> iam.Role:
        """Have GuardDuty look through every new object, tag it, and tell the queue."""
        role = iam.Role(
            self,
            "Scanner",
            role_name=f"{self._stage.prefix}-scanner",
            description="GuardDuty Malware Protection for S3",
            assumed_by=iam.ServicePrincipal(
                "malware-protection-plan.guardduty.amazonaws.com"
            ).with_conditions({"StringEquals": {"aws:SourceAccount": self._stage.account}}),
        )
        self._let_scan(role)
        plan = guardduty.CfnMalwareProtectionPlan(
            self,
            "ScanPlan",
            role=role.role_arn,
            protected_resource=guardduty.CfnMalwareProtectionPlan.CFNProtectedResourceProperty(
                s3_bucket=guardduty.CfnMalwareProtectionPlan.S3BucketProperty(
                    bucket_name=self.bucket.bucket_name, object_prefixes=[_PREFIX]
                )
            ),
            actions=guardduty.CfnMalwareProtectionPlan.CFNActionsProperty(
                tagging=guardduty.CfnMalwareProtectionPlan.CFNTaggingProperty(status="ENABLED")
            ),
        )
        plan.node.add_dependency(role)
        rule = events.Rule(
            self,
            "Verdicts",
            description="What GuardDuty found in an object",
            event_pattern=events.EventPattern(
                source=["aws.guardduty"],
                detail_type=["GuardDuty Malware Protection Object Scan Result"],
                detail={"s3ObjectDetails": {"bucketName": [self.bucket.bucket_name]}},
            ),
        )
        rule.add_target(targets.SqsQueue(self.notices, dead_letter_queue=self.notices_dead))
        return role

    def _let_scan(self, role: iam.Role) -> None:
        """Grant what GuardDuty's user guide lists for the role of a plan, on this bucket."""
        objects = f"{self._stage.files_arn}/{OBJECTS}"
        own_rule = self.format_arn(
            service="events",
            resource="rule",
            resource_name="DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*",
        )
        by_guardduty = {
            "StringLike": {"events:ManagedBy": "malware-protection-plan.guardduty.amazonaws.com"}
        }
        for statement in (
            iam.PolicyStatement(
                sid="ReadAndTag",
                actions=[
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersionTagging",
                    "s3:PutObjectTagging",
                    "s3:PutObjectVersionTagging",
                ],
                resources=[objects],
            ),
            iam.PolicyStatement(
                sid="HearOfNewObjects",
                actions=["s3:ListBucket", "s3:GetBucketNotification", "s3:PutBucketNotification"],
                resources=[self.bucket.bucket_arn],
            ),
            iam.PolicyStatement(
                sid="TryTheBucket",
                actions=["s3:PutObject"],
                resources=[
                    self.bucket.arn_for_objects("malware-protection-resource-validation-object")
                ],
            ),
            iam.PolicyStatement(
                sid="KeepItsOwnRule",
                actions=[
                    "events:PutRule",
                    "events:DeleteRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                ],
                resources=[own_rule],
                conditions=by_guardduty,
            ),
            iam.PolicyStatement(
                sid="SeeItsOwnRule",
                actions=["events:DescribeRule", "events:ListTargetsByRule"],
                resources=[own_rule],
            ),
            iam.PolicyStatement(
                sid="Keys",
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                resources=[self.key.key_arn],
                conditions={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
            ),
        ):
            role.add_to_policy(statement)

    def _gate(self, scanner: iam.Role) -> None:
        """Let nobody read what the scanner has not called clean, and nobody else say that it did.

        The worker reads before the verdict, because it proves; so does replication.
        """
        objects = f"{self._stage.files_arn}/{OBJECTS}"
        readers = [scanner.role_arn, self._role("worker-task"), self._role("replication")]
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NothingUnscanned",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                not_resources=[f"{self._stage.files_arn}/{_NOTHING}"],
                conditions={
                    "StringNotEquals": {f"s3:ExistingObjectTag/{SCAN_TAG}": CLEAN},
                    "ArnNotEquals": {"aws:PrincipalArn": readers},
                },
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyElseJudges",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
                resources=[objects],
                conditions={
                    "ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": [SCAN_TAG]},
                    "ArnNotEquals": {"aws:PrincipalArn": scanner.role_arn},
                },
            )
        )

    def _role(self, name: str) -> str:
        return f"arn:aws:iam::{self._stage.account}:role/{self._stage.prefix}-{name}"
