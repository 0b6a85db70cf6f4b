"""Dashboards and rules for Prometheus and Grafana, with the names that the current settings produce."""
