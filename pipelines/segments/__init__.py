"""Versioned segments: list them, make a new one, lock them, compare two versions."""
