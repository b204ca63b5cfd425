"""One cell: all the stacks of one stage, in the order in which they are deployed."""

from aws_cdk import Environment, Stage, Tags
from constructs import Construct

from laydown_infra.config import StageConfig
from laydown_infra.copies import CopiesStack
from laydown_infra.data import DataStack
from laydown_infra.deployer import DeployerStack
from laydown_infra.edge import EdgeStack
from laydown_infra.environment import Surroundings
from laydown_infra.images import ImagesStack
from laydown_infra.ingest import IngestStack
from laydown_infra.migration import MigrationStack
from laydown_infra.monitoring import MonitoringStack
from laydown_infra.network import NetworkStack
from laydown_infra.service import ServiceStack


class Cell(Stage):
    """laydown for some of its organizations: another cell is another value of `StageConfig`.

    What holds data (images, ingest, data, copies) stands apart from what can be made again.
    """

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(
            scope, stage.prefix, env=Environment(account=stage.account, region=stage.region)
        )
        self.config = stage
        self.copies = (
            CopiesStack(self, "copies", stage=stage, region=stage.copy_region)
            if stage.copy_region
            else None
        )
        self.images = ImagesStack(self, "images", stage=stage)
        self.deployer = DeployerStack(self, "deployer", stage=stage, images=self.images)
        self.network = NetworkStack(self, "network", stage=stage)
        self.ingest = IngestStack(self, "ingest", stage=stage)
        self.data = DataStack(self, "data", stage=stage, network=self.network)
        self.migration = MigrationStack(
            self,
            "migration",
            stage=stage,
            network=self.network,
            images=self.images,
            data=self.data,
            around=self._surroundings(),
        )
        self.service = ServiceStack(
            self,
            "service",
            stage=stage,
            network=self.network,
            images=self.images,
            data=self.data,
            ingest=self.ingest,
            migration=self.migration,
        )
        self.edge = EdgeStack(self, "edge", stage=stage, balancer=self.service.balancer)
        self.monitoring = MonitoringStack(
            self,
            "monitoring",
            stage=stage,
            ingest=self.ingest,
            data=self.data,
            service=self.service,
        )
        if self.copies is not None:
            for stack in (self.ingest, self.data):
                stack.add_stack_dependency(self.copies)
        Tags.of(self).add("service", "laydown")
        Tags.of(self).add("stage", stage.name)
        Tags.of(self).add("cell", stage.cell)

    def _surroundings(self) -> Surroundings:
        stage = self.config
        return Surroundings(
            region=stage.region,
            cidr=stage.cidr,
            domain=stage.domain,
            page_origins=stage.page_origins,
            database_host=self.data.database.db_instance_endpoint_address,
            bucket=stage.files_bucket,
            jobs=self.ingest.jobs.queue_name,
            notices=self.ingest.notices.queue_name,
            scanner=stage.scanner.value,
            issuer=stage.provider.issuer if stage.provider else None,
            client_id=stage.provider.client_id if stage.provider else None,
        )
