"""The formats of input files, one a module."""
