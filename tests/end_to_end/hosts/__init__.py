"""The hosts of the table in docs/reference/combinations.md."""

from tests.end_to_end.hosts import children, others, servers, task_queues

HOSTS = [*servers.HOSTS, *children.HOSTS, *task_queues.HOSTS, *others.HOSTS]
