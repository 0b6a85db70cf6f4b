pytest_plugins = ["tests.servers.fixtures"]

from hypothesis import settings

# No test asserts a time; a busy machine is no reason to fail.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
