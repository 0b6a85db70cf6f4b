"""One request to the receiver and its answer: connections, TLS, authentication, proxies. It knows no retries."""
