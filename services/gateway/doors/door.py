"""What every door has at hand."""

from nameko.dependency_providers import Config
from nameko.extensions import DependencyProvider

from services.gateway.doors.credentials import Credentials
from shared.plumbing.database import Database
from shared.plumbing.publisher import Publishers
from shared.plumbing.rpc import RpcClient


class Broker(DependencyProvider):
    """Gives a worker the `Publishers` of this process."""

    def setup(self) -> None:
        self.publishers = Publishers(self.container.config["AMQP_URI"])

    def get_dependency(self, worker_ctx: object) -> Publishers:
        return self.publishers


class Door:
    """Doors of one subject inherit this; the service inherits them all and has each dependency once."""

    db = Database()
    credentials = Credentials()
    publishers = Broker()
    calls = RpcClient("calls")
    config = Config()
