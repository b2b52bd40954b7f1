"""Files, checkpoints, hardware, and fixes for the packages below."""
