"""From series and samples to the bytes of requests."""
