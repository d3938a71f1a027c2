"""`segments backtest`: what a new version would have done to the numbers."""

from __future__ import annotations

from pipelines.segments.backtest.compare import backtest
from pipelines.segments.backtest.facts import Backtest
from pipelines.segments.backtest.text import as_markdown, as_table

__all__ = ["Backtest", "as_markdown", "as_table", "backtest"]
