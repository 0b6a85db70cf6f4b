"""From keywords and environment variables to settings. What is wrong becomes a sentence."""
