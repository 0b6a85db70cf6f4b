"""From keywords and environment variables to settings. Each mistake becomes a sentence."""
