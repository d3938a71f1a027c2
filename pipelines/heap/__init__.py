"""Publishing to Heap: a plan, then exactly that plan or nothing.

`plan` reads the Heap marts and the ledger and writes one file; `publish` sends it byte for byte;
the ledger records what Heap acknowledged.
"""
