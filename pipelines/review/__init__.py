"""The weekly page, written from the marts alone, and what each of its figures rests on."""

from __future__ import annotations

from pipelines.review.page import Page, write_page
from pipelines.review.provenance import explain_number, list_numbers

__all__ = ["Page", "explain_number", "list_numbers", "write_page"]
