"""What arrives, on a terminal: needs the extra ``tui``."""
