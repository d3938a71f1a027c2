"""Heap Connect read-back: who Heap knows, and what reached it."""
