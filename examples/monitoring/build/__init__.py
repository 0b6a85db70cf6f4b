"""Builds the dashboards with Grafana's Foundation SDK: python -m examples.monitoring.build."""
