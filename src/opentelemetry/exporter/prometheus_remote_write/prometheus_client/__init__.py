"""The application's metrics of the library prometheus_client, pushed along with its OpenTelemetry metrics.

The library is the application's: nothing here imports it before the application has.
"""
