"""What the application measures with the library prometheus_client, pushed beside what it measures with OpenTelemetry.

The library is the application's: nothing here imports it before the application has.
"""
