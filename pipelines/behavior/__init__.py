"""Behavior files: orders, product and checkout events."""
