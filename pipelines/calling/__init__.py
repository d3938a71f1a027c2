"""Calling another system: paced, with patience, and believed only by its documented answer.

What publishing to Heap and pushing to Customer.io have in common. Whom is told what, and what the
ledger keeps of it, is theirs.
"""
