"""The way back: an audience is told to Customer.io, or written into a file for an ad platform.

`plan` reads the audience marts and the ledger and writes one file; `push` sends exactly that; the
ledger remembers whom we added, and nobody else is ever removed.
"""
