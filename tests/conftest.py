from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

# No test asserts a time; a busy machine is no reason to fail.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
