"""What somebody may break in a model by accident: each break lists the edits it can make of a text.

An edit replaces one stretch of the model's text. The breaks work on the tokens of the masked SQL,
so that a broken model differs from the sound one in nothing but the break, Jinja included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise

from masked import Masked
from sqlglot import TokenType as T

Edit = tuple[int, int, str]
"""From, to, and what stands there instead."""

CLAUSES = {
    T.WHERE, T.GROUP_BY, T.HAVING, T.QUALIFY, T.ORDER_BY, T.WINDOW, T.LIMIT, T.UNION, T.EXCEPT,
    T.INTERSECT, T.JOIN, T.LEFT, T.RIGHT, T.FULL, T.INNER, T.CROSS, T.ON, T.FROM, T.SELECT,
}  # fmt: skip
STOPS = CLAUSES | {T.THEN, T.ELSE, T.WHEN, T.COMMA, T.ALIAS}
LISTED = {T.COMMA, T.SELECT, T.DISTINCT}


def comparison_flipped(text: Masked) -> Iterator[Edit]:
    """At the boundary, to the other side, equal to unequal, null to not null, in to not in."""
    others = {
        T.GT: (">=", "<"), T.GTE: (">", "<="), T.LT: ("<=", ">"), T.LTE: ("<", ">="),
        T.EQ: ("<>",), T.NEQ: ("=",),
    }  # fmt: skip
    for place, token in enumerate(text.tokens):
        kind = token.token_type
        # rows joined where keys differ are no slip: nothing would end
        if kind in others and not (kind == T.EQ and _clause(text, place) == T.ON):
            for other in others[kind]:
                yield text.start(place), text.end(place), other
        if kind == T.IS and text.kind(place + 1) == T.NOT:
            yield text.start(place), text.end(place + 1), "is"
        if kind == T.IS and text.kind(place + 1) == T.NULL:
            yield text.start(place), text.end(place), "is not"
        if kind == T.IN and text.kind(place - 1) == T.NOT:
            yield text.start(place - 1), text.end(place), "in"
        elif kind == T.IN and text.kind(place + 1) == T.L_PAREN:
            yield text.start(place), text.end(place), "not in"


def condition_dropped(text: Masked) -> Iterator[Edit]:
    """One condition of a filter, a join or a case; the whole filter; one value of a list."""
    for place, token in enumerate(text.tokens):
        if token.token_type in {T.AND, T.OR} and not _is_of_between(text, place):
            yield from _operands_dropped(text, place)
        if token.token_type in {T.WHERE, T.HAVING, T.QUALIFY}:
            last = text.stretch(place + 1, CLAUSES) if place + 1 < len(text.tokens) else place
            if not any(_connects(text, at, text.depths[place]) for at in range(place, last)):
                yield text.start(place), text.end(last), ""
        if token.token_type == T.IN and text.kind(place + 1) == T.L_PAREN:
            yield from _each_dropped(text, _items(text, place + 1))


def join_changed(text: Masked) -> Iterator[Edit]:
    """Left to inner, inner to left, full to left."""
    others = {T.LEFT: "inner", T.INNER: "left"}
    for place, token in enumerate(text.tokens):
        if token.token_type in others and text.kind(place + 1) == T.JOIN:
            yield text.start(place), text.end(place), others[token.token_type]
        if token.token_type == T.FULL:
            outer = text.kind(place + 1) == T.OUTER
            yield text.start(place), text.end(place + outer), "left"


def order_turned(text: Masked) -> Iterator[Edit]:
    """Oldest for newest: the direction of each key of an order."""
    for place, token in enumerate(text.tokens):
        if token.token_type != T.ORDER_BY:
            continue
        last = text.stretch(place + 1, {T.ROWS, T.RANGE, T.LIMIT})
        for first, end in _split(text, place + 1, last, T.COMMA):
            said = [at for at in range(first, end + 1) if text.kind(at) in {T.ASC, T.DESC}]
            if said and text.kind(said[0]) == T.DESC:
                yield text.end(said[0] - 1), text.end(said[0]), ""
            elif said:
                yield text.start(said[0]), text.end(said[0]), "desc"
            else:
                nulls = [at for at in range(first, end + 1) if text.word(at) == "nulls"]
                after = (nulls[0] if nulls else end + 1) - 1
                yield text.end(after), text.end(after), " desc"


OPPOSITE = {
    "min": "max", "max": "min", "least": "greatest", "greatest": "least", "lag": "lead",
    "lead": "lag", "first_value": "last_value", "last_value": "first_value", "first": "last",
    "last": "first", "arg_min": "arg_max", "arg_max": "arg_min", "min_by": "max_by",
    "max_by": "min_by", "floor": "ceil", "ceil": "floor", "bool_or": "bool_and",
    "bool_and": "bool_or", "rank": "dense_rank",
}  # fmt: skip


def end_swapped(text: Masked) -> Iterator[Edit]:
    """First for last, min for max, the row before for the row after."""
    for place in range(len(text.tokens)):
        other = OPPOSITE.get(text.word(place))
        if other and text.kind(place + 1) == T.L_PAREN:
            yield text.start(place), text.end(place), other


def constant_moved(text: Masked) -> Iterator[Edit]:
    """A number, or a threshold of dbt_project.yml, is one more."""
    for place, token in enumerate(text.tokens):
        opening = _opening(text, place)
        in_type = opening >= 0 and text.word(opening - 1) in {"decimal", "numeric", "varchar"}
        if (
            token.token_type == T.NUMBER
            and not (in_type or _is_counted(text, place))
            and token.text.isdigit()
        ):
            yield text.start(place), text.end(place), str(int(token.text) + 1)
    for found in re.finditer(r"""\{\{-?\s*(var\(\s*["'](\w+)["']\s*\))""", text.raw):
        if is_number(found.group(2)):
            yield found.start(1), found.end(1), f"({found.group(1)} + 1)"


def _is_counted(text: Masked, place: int) -> bool:
    """Whether a number is what a case gives to `count`, which asks only whether there is one."""
    if text.kind(place - 1) != T.THEN or text.kind(place + 1) != T.END:
        return False
    first = next(at for at in range(place, -1, -1) if text.kind(at) == T.CASE)
    return text.kind(first - 1) == T.L_PAREN and text.word(first - 2) == "count"


def is_number(name: str) -> bool:
    """Whether a var of dbt_project.yml is a number."""
    return name in _numeric_vars()


def branch_dropped(text: Masked) -> Iterator[Edit]:
    """One branch of a case, or what it says of all others."""
    for place, token in enumerate(text.tokens):
        if token.token_type != T.CASE:
            continue
        end = text.closing(place)
        inside = range(place + 1, end)
        own = [at for at in inside if text.depths[at] == text.depths[place] + 1]
        whens = [at for at in own if text.kind(at) == T.WHEN]
        elses = [at for at in own if text.kind(at) == T.ELSE]
        ends = [*whens[1:], *elses, end]
        if len(whens) > 1:
            for first, after in zip(whens, ends, strict=False):
                yield text.start(first), text.start(after), ""
        if elses and text.word(elses[0] + 1) not in {"0", "null", "false", "0.0"}:
            yield text.end(elses[0] - 1), text.end(end - 1), ""


def coalesce_turned(text: Masked) -> Iterator[Edit]:
    """The second of a coalesce before the first."""
    for place in range(len(text.tokens)):
        if text.word(place) == "coalesce" and text.kind(place + 1) == T.L_PAREN:
            items = _items(text, place + 1)
            if len(items) > 1 and text.text(*items[0]) != text.text(*items[1]):
                first, second = items[:2]
                between = text.raw[text.end(first[1]) : text.start(second[0])]
                turned = text.text(*second) + between + text.text(*first)
                yield text.start(first[0]), text.end(second[1]), turned


def repeats_kept(text: Masked) -> Iterator[Edit]:
    """`distinct` is gone, `union` keeps repeats."""
    for place, token in enumerate(text.tokens):
        if token.token_type == T.DISTINCT and text.kind(place - 1) in {T.SELECT, T.L_PAREN}:
            yield text.start(place), text.start(place + 1), ""
        if token.token_type == T.UNION and text.kind(place + 1) not in {T.ALL, T.DISTINCT}:
            yield text.end(place), text.end(place), " all"


def flag_swapped(text: Masked) -> Iterator[Edit]:
    """True for false, a flag for its opposite, one answer of a case for the next."""
    for place, token in enumerate(text.tokens):
        if token.token_type in {T.TRUE, T.FALSE}:
            yield (
                text.start(place),
                text.end(place),
                {"true": "false"}.get(text.word(place), "true"),
            )
        if re.match(r"(is|has|was)_", text.word(place)) and _is_condition(text, place):
            first = place
            while text.kind(first - 1) == T.DOT:
                first -= 2
            if text.kind(first - 1) == T.NOT:
                yield text.start(first - 1), text.start(first), ""
            else:
                yield text.start(first), text.start(first), "not "
    for place, token in enumerate(text.tokens):
        if token.token_type == T.CASE:
            yield from _answers_swapped(text, place)


def arm_swapped(text: Masked) -> Iterator[Edit]:
    """Treatment for control, low for high."""
    others = {"treatment": "control", "control": "treatment", "low": "high", "high": "low"}
    for place, token in enumerate(text.tokens):
        word = text.word(place)
        for one, other in others.items():
            if token.token_type == T.VAR and re.search(rf"(^|_){one}(_|$)", word):
                became = re.sub(rf"(^|_){one}(_|$)", rf"\g<1>{other}\g<2>", word)
                yield from _column_swapped(text, place, became)


def instant_swapped(text: Masked) -> Iterator[Edit]:
    """One instant for another of the same step: created for sent, entered for exited."""
    by_step: dict[str, set[str]] = {}
    places = [
        place
        for place, token in enumerate(text.tokens)
        if token.token_type == T.VAR and re.search(r"_(at|on)$", text.word(place))
    ]
    for place in places:
        by_step.setdefault(text.step(place), set()).add(text.word(place))
    for place in places:
        word = text.word(place)
        names = sorted(n for n in by_step[text.step(place)] if n[-3:] == word[-3:])
        if len(names) > 1:
            yield from _column_swapped(text, place, names[(names.index(word) + 1) % len(names)])


BREAKS: tuple[Callable[[Masked], Iterable[Edit]], ...] = (
    comparison_flipped, condition_dropped, join_changed, order_turned, end_swapped, constant_moved,
    branch_dropped, coalesce_turned, repeats_kept, flag_swapped, arm_swapped, instant_swapped,
)  # fmt: skip


def _clause(text: Masked, place: int) -> T | None:
    """The keyword of the clause that a token stands in, brackets around it left out."""
    depth = text.depths[place]
    for other in range(place - 1, -1, -1):
        depth = min(depth, text.depths[other])
        if text.depths[other] <= depth and text.kind(other) in CLAUSES | {T.WHEN, T.THEN, T.ELSE}:
            return text.kind(other)
    return None


def _connects(text: Masked, place: int, depth: int) -> bool:
    return (
        text.kind(place) in {T.AND, T.OR}
        and text.depths[place] == depth
        and not _is_of_between(text, place)
    )


def _is_of_between(text: Masked, place: int) -> bool:
    """Whether an `and` belongs to a `between`."""
    for other in range(place - 1, -1, -1):
        if text.depths[other] < text.depths[place]:
            return False
        if text.depths[other] == text.depths[place]:
            if text.kind(other) == T.BETWEEN:
                return True
            if text.kind(other) in STOPS | {T.AND, T.OR}:
                return False
    return False


def _operands_dropped(text: Masked, place: int) -> Iterator[Edit]:
    """The operand after a connector and, where the connector is the first, the one before it."""
    depth, kind = text.depths[place], text.kind(place)
    after = text.stretch(place + 1, STOPS | {T.AND, T.OR})
    while text.kind(after + 1) == T.AND and _is_of_between(text, after + 1):
        after = text.stretch(after + 1, STOPS | {T.AND, T.OR})
    first = place
    while (
        first > 0
        and text.depths[first - 1] >= depth
        and not (
            text.depths[first - 1] == depth
            and (text.kind(first - 1) in STOPS or _connects(text, first - 1, depth))
        )
        and not (text.kind(first - 1) in {T.L_PAREN, T.CASE} and text.depths[first - 1] < depth)
    ):
        first -= 1
    if kind == T.OR and text.kind(after + 1) == T.AND:
        return  # `a or b and c`: b and c go together, one by one at their own `and`
    yield text.end(place - 1), text.end(after), ""
    if not _connects(text, first - 1, depth):
        yield text.start(first), text.start(place + 1), ""


def _items(text: Masked, opening: int) -> list[tuple[int, int]]:
    """First and last token of each item between brackets."""
    closing = text.closing(opening)
    if closing == opening + 1 or text.kind(opening + 1) == T.SELECT:
        return []
    return _split(text, opening + 1, closing - 1, T.COMMA)


def _split(text: Masked, first: int, last: int, by: T) -> list[tuple[int, int]]:
    depth = text.depths[first]
    cuts = [p for p in range(first, last + 1) if text.kind(p) == by and text.depths[p] == depth]
    return [(before + 1, after - 1) for before, after in pairwise([first - 1, *cuts, last + 1])]


def _each_dropped(text: Masked, items: list[tuple[int, int]]) -> Iterator[Edit]:
    if len(items) < 2:
        return
    for number, (first, last) in enumerate(items):
        if number + 1 < len(items):
            yield text.start(first), text.start(items[number + 1][0]), ""
        else:
            yield text.end(items[number - 1][1]), text.end(last), ""


def _opening(text: Masked, place: int) -> int:
    """The bracket that a token stands in; -1 where there is none."""
    for other in range(place - 1, -1, -1):
        if text.depths[other] < text.depths[place]:
            return other
    return -1


def _is_condition(text: Masked, place: int) -> bool:
    """Whether a name stands alone where a condition is asked."""
    first = place
    while text.kind(first - 1) == T.DOT:
        first -= 2
    before = first - 1
    if text.kind(before) == T.NOT:
        before -= 1
    asked = {T.WHERE, T.ON, T.WHEN, T.AND, T.OR, T.HAVING, T.QUALIFY}
    after = text.kind(place + 1)
    return text.kind(before) in asked and (
        after in CLAUSES | {T.THEN, T.AND, T.OR, T.R_PAREN, None}
    )


def _answers_swapped(text: Masked, place: int) -> Iterator[Edit]:
    end = text.closing(place)
    answers = []
    for at in range(place + 1, end):
        if text.depths[at] == text.depths[place] + 1 and text.kind(at) in {T.THEN, T.ELSE}:
            last = text.stretch(at + 1, {T.WHEN, T.ELSE})
            if last == at + 1 and text.kind(last) in {T.STRING, T.NUMBER}:
                answers.append(last)
    for one, other in pairwise(answers):
        if text.text(one, one) != text.text(other, other):
            between = text.raw[text.end(one) : text.start(other)]
            turned = text.text(other, other) + between + text.text(one, one)
            yield text.start(one), text.end(other), turned


def _column_swapped(text: Masked, place: int, became: str) -> Iterator[Edit]:
    """Read another column under the name of this one; a name that is given stays."""
    if text.kind(place - 1) == T.ALIAS or text.kind(place + 1) == T.L_PAREN:
        return
    first = place
    while text.kind(first - 1) == T.DOT:
        first -= 2
    is_item = (
        _clause(text, place) == T.SELECT
        and text.kind(first - 1) in LISTED
        and text.kind(place + 1) in {T.COMMA, T.FROM}
        and text.depths[place] == _depth_of_select(text, place)
    )
    named = f"{became} as {text.word(place)}" if is_item else became
    yield text.start(place), text.end(place), named


def _depth_of_select(text: Masked, place: int) -> int:
    for other in range(place, -1, -1):
        if text.kind(other) == T.SELECT and text.depths[other] <= text.depths[place]:
            return text.depths[other]
    return -1


@cache
def _numeric_vars() -> frozenset[str]:
    import yaml
    from mutants import PROJECT

    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    return frozenset(n for n, v in declared.items() if isinstance(v, int | float))
