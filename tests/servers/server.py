"""What all servers of the tests have in common: a process, a port, and a folder that goes when they go."""

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tests.servers.package import Package
from tests.servers.ports import LOOPBACK, accepts, free_port, wait_until_closed
from tests.servers.process import ServerProcess


class Server(ABC):
    """A server on loopback: runs inside a with block, and leaves neither a process nor a file behind.

    Inside the block it can be stopped or killed and started again, with the same port and the same data.
    """

    def __init__(self, package: Package):
        self.package = package
        self.port = free_port()
        self.folder = Path()  # a temporary one, from the first start on
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._process.log if self._process else ""

    @property
    def process(self) -> ServerProcess:
        """The process behind it, once started."""
        if self._process is None:
            raise RuntimeError(f"{self.package.name} has not been started")
        return self._process

    def start(self) -> None:
        """Starts it, or starts it again, and returns when it serves."""
        if self._process is None:
            self.folder = Path(tempfile.mkdtemp(prefix=f"{self.package.name}-"))
            self._process = ServerProcess(
                self._prepare(),
                log=self.folder / "server.log",
                ready=self._is_ready,
                environment=self.package.environment,
            )
        self._process.start()

    def stop(self) -> None:
        """Ends it in an orderly way; its data stay."""
        self.process.stop()
        wait_until_closed(self.port)

    def kill(self) -> None:
        """Ends it as a crash would; its data stay."""
        self.process.kill()
        wait_until_closed(self.port)

    def close(self) -> None:
        """Ends it for good and removes its files."""
        if self._process is not None:
            self.stop()
            self._process = None
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception):
        self.close()

    @abstractmethod
    def _prepare(self) -> Sequence[str]:
        """Writes the configuration into the folder; the command that serves with it."""

    def _is_ready(self) -> bool:
        return accepts(self.port)
