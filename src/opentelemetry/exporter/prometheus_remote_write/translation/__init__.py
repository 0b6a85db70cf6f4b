"""From the SDK's data points to samples of metric families."""
