"""Dashboards and rules for Prometheus and Grafana, with names as the settings in force write them."""
