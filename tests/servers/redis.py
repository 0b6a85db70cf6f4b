"""Redis, the queue of RQ's jobs."""

from tests.servers.packages import REDIS
from tests.servers.ports import LOOPBACK
from tests.servers.server import Server


class Redis(Server):
    """A Redis that keeps everything in memory."""

    def _prepare(self) -> list[str]:
        keeps_nothing = ["--save", "", "--appendonly", "no"]
        program = str(self.package.path(REDIS))
        return [program, "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.folder), *keeps_nothing]
