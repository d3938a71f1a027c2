"""The one kind of error that reaches a user: a sentence, and an exit code."""

from __future__ import annotations

from collections.abc import Mapping


class CounterfoilError(Exception):
    """Something a person can act on: what happened and what to do, in one sentence.

    `exit_code` is 1 when a check failed or the work was refused, 2 for wrong usage
    or configuration. `facts` are what --json prints beside the sentence.
    """

    exit_code = 1
    facts: Mapping[str, object] = {}


class UsageError(CounterfoilError):
    """Wrong usage or configuration (exit code 2)."""

    exit_code = 2
