"""The drift check: observe, compare, report."""
