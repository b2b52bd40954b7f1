"""Look at data sets and their labels."""
