"""The process around the exporter: the controller, forks, exits, signals, instance ids."""
