"""Programs that are built from Go modules, and at which version."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """One program of a Go module.

    Args:
        name: What the binary is called.
        title: What people call it.
        module: The module's path.
        version: The module's version, pinned.
        package: The package of the program, below the module.
        tags: Build tags.
        toolchain: What GOTOOLCHAIN is set to: a module may ask for a newer Go than the machine has.
    """

    name: str
    title: str
    module: str
    version: str
    package: str
    tags: tuple[str, ...] = ()
    toolchain: str = "local"

    @property
    def release(self) -> str:
        """The version as the project's own releases have it: a Go module's v0.316.0 is Prometheus 3.16.0."""
        numbers = self.version.removeprefix("v").split(".")
        if self.module == "github.com/prometheus/prometheus" and numbers[0] == "0":
            major, minor = divmod(int(numbers[1]), 100)
            numbers[:2] = [str(major), str(minor)]
        return ".".join(numbers)


# The order is the order of building. slicelabels: their code does not compile with the other kinds of labels.
CORTEX = Program(
    "cortex", "Cortex", "github.com/cortexproject/cortex", "v1.21.1", "cmd/cortex", ("netgo", "slicelabels")
)
THANOS = Program(
    "thanos",
    "Thanos Receive",
    "github.com/thanos-io/thanos",
    "v0.42.5",
    "cmd/thanos",
    ("netgo", "slicelabels"),
    toolchain="go1.27.3",  # its go.mod asks for 1.26.10 at least
)
PROMETHEUS = Program(
    "prometheus",
    "Prometheus",
    "github.com/prometheus/prometheus",
    "v0.316.0",
    "cmd/prometheus",
    ("netgo", "remove_all_sd"),  # it scrapes nothing: without the clouds' libraries it builds in a third of the time
)
PROGRAMS = (CORTEX, THANOS, PROMETHEUS)
# Not a receiver of the matrix: tests/soak compares its queue on disk with our buffer.
VMAGENT = Program(
    "vmagent", "vmagent", "github.com/VictoriaMetrics/VictoriaMetrics", "v1.151.0", "app/vmagent", toolchain="go1.27.3"
)
