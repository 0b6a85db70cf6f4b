"""The process around the exporter: the controller, forks, the exit, instance ids."""
