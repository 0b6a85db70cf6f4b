"""What `otel-prw check` and `otel-prw preview` find out. The exporter never imports it."""
