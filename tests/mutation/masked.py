"""A model's text with its Jinja masked, so that what is left reads as SQL at the same places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlglot import TokenType
from sqlglot.dialects.duckdb import DuckDB

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
SAYS_NOTHING = re.compile(r"\{\{-?\s*config\(|\bloop\.")
"""Expressions that stand for no value: settings, and what joins the turns of a loop."""

OPENS = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE}
CLOSES = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}


@dataclass(frozen=True)
class Masked:
    """SQL tokens of one model, with offsets into its own text.

    Attributes:
        raw: the text as it stands in the file.
        sql: the same length; each Jinja expression is a name, statements and comments are blank.
        tokens: of `sql`.
        depths: how many brackets or cases each token stands in; a bracket counts as outside itself.
    """

    raw: str
    sql: str
    tokens: tuple[Any, ...] = field(repr=False)
    depths: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, raw: str) -> Masked:
        """Mask and tokenize."""
        sql = JINJA.sub(_mask, raw)
        tokens = tuple(DuckDB.Tokenizer().tokenize(sql))
        depths = []
        depth = 0
        for token in tokens:
            depth -= token.token_type in CLOSES
            depths.append(depth)
            depth += token.token_type in OPENS
        return cls(raw, sql, tokens, tuple(depths))

    def kind(self, place: int) -> TokenType | None:
        """Type of a token; None outside the text."""
        return self.tokens[place].token_type if 0 <= place < len(self.tokens) else None

    def word(self, place: int) -> str:
        """Text of a token in lower case; nothing outside the text."""
        return self.tokens[place].text.lower() if 0 <= place < len(self.tokens) else ""

    def start(self, place: int) -> int:
        return int(self.tokens[place].start)

    def end(self, place: int) -> int:
        """Offset after a token."""
        return int(self.tokens[place].end) + 1

    def text(self, first: int, last: int) -> str:
        """The raw text from one token to another, both with it."""
        return self.raw[self.start(first) : self.end(last)]

    def closing(self, opening: int) -> int:
        """The token that closes the bracket or case that this one opens."""
        depth = self.depths[opening]
        for place in range(opening + 1, len(self.tokens)):
            if self.kind(place) in CLOSES and self.depths[place] == depth:
                return place
        return len(self.tokens) - 1

    def stretch(self, first: int, stops: frozenset[TokenType] | set[TokenType]) -> int:
        """Last token of what begins at `first`: before a stop of its own depth, or a closing."""
        depth = self.depths[first]
        for place in range(first, len(self.tokens)):
            if self.depths[place] < depth:
                return place - 1
            if place > first and self.depths[place] == depth and self.kind(place) in stops:
                return place - 1
        return len(self.tokens) - 1

    def step(self, place: int) -> str:
        """Name of the common table expression that a token stands in, or `model`."""
        for other in range(place, -1, -1):
            if (
                self.depths[other] == 0
                and self.kind(other) == TokenType.L_PAREN
                and self.kind(other - 1) == TokenType.ALIAS
            ):
                return self.word(other - 2)
            if self.depths[other] == 0 and other != place:
                return "model"
        return "model"


def _mask(found: re.Match[str]) -> str:
    text = found.group()
    if not text.startswith("{{") or SAYS_NOTHING.search(text):
        return re.sub(r"[^\n]", " ", text)
    return "j" + "_" * (len(text) - 1)
