"""Forgetting a person everywhere, and keeping them forgotten.

`erase` finds everything that is a person's, in the databases, in the home's files and in Heap,
takes it out and proves it; `sweep` takes out of raw.duckdb what old exports bring back.
"""
