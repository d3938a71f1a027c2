"""The weekly page, written from the marts alone."""

from __future__ import annotations

from pipelines.review.page import Page, write_page

__all__ = ["Page", "write_page"]
