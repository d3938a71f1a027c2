"""The weekly page, written from the marts alone."""
