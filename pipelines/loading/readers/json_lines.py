"""JSON lines: an object a line, its keys in any order, read once ahead like other text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.blanks import BLANKS
from pipelines.built.quoting import literal
from pipelines.encoding import is_utf8
from pipelines.loading.batches import (
    Batch,
    Columns,
    Reading,
    path_list,
    place,
    raw_columns,
    spoilers,
    what_is_missing,
)
from pipelines.loading.casts import JSON
from pipelines.loading.families import Constants, Family, Kind
from pipelines.loading.files import Found
from pipelines.loading.inside import EACH, check_at_once, checks_inside
from pipelines.loading.raw import Connection
from pipelines.loading.readers.broken import KEY_TWICE, read_ahead
from pipelines.loading.readers.lines import (
    LONGEST_LINE,
    NOT_UTF8,
    TOO_LONG,
    NotText,
    lines,
    objects,
    opened,
)
from pipelines.loading.readers.packed import CUT_SHORT, UNSOUND, is_gzip
from pipelines.loading.readers.setting_aside import (
    BYTES_AT_ONCE,
    RECORDS_AT_ONCE,
    Sieve,
    take_rest,
)
from pipelines.loading.refusing import refuse

_IS_ONCE = "len(json_keys({0})) = len(list_distinct(json_keys({0})))"
"""SQL for whether no key of a JSON object stands there twice."""
_KEYS = (
    "list_sort(list_distinct(flatten(list(distinct case when json_type(json) = 'OBJECT'"
    f" and {_IS_ONCE.format('json')} then json_keys(json)"
    " else error('a line is not an object, or has a key twice') end))))"
)

LONGEST_KEY = 50_000
"""Spark reads nothing of a JSON text with a longer one."""


def prepare(
    connection: Connection,
    files: Sequence[Found],
    reading: Reading,
    *,
    scratch: Path,
    is_strict: bool,
) -> None:
    """Sort new files into the batches of `reading`, or say why they cannot be read.

    Args:
        scratch: a folder for what is left of files with bad lines; it must hold until the batches
            are read.
        is_strict: whether one bad line is enough to refuse its file.
    """
    keys: dict[str, list[str]] = {}

    def source(some: Sequence[Found]) -> str:
        zipped = is_gzip(some[0])
        return (
            f"read_json_objects({path_list(some)}, format = 'newline_delimited',"
            f" compression = '{'gzip' if zipped else 'none'}',"
            f" maximum_object_size = {LONGEST_LINE}, hive_partitioning = false,"
            " filename = 'filename')"
        )

    def read_keys(some: Sequence[Found]) -> None:
        keys.update(
            connection.execute(
                f"select filename, {_KEYS} from {source(some)} group by filename"
            ).fetchall()
        )

    unsound: list[Found] = []
    for zipped in (False, True):
        some = [found for found in files if is_gzip(found) == zipped]
        spoiled = [found for found, _ in spoilers(some, read_keys)]
        unsound += spoiled
        groups: dict[tuple[str, tuple[str, ...], Constants], list[Found]] = {}
        for found in some:
            if found in spoiled:
                continue
            family = found.kind.family
            names = keys.get(str(found.path), [])
            # a file of no lines has no names to lack
            if lacking := what_is_missing(family, names) if names else None:
                reading.rejected.append((found, lacking))
                continue
            key = (family.name, tuple(names), found.kind.constants)
            groups.setdefault(key, []).append(found)
        for (_, names_, constants), group in groups.items():
            family = group[0].kind.family
            columns = _columns(family, names_, constants)
            batch = Batch(
                family=family,
                files=tuple(group),
                columns=columns,
                source=source,
                file_column="filename",
                line=place,
                checks=_checks(family, columns, at_once=True),
            )
            unsound += read_ahead(connection, batch, reading)
    for number, found in enumerate(unsound):
        with Sieve(connection, found, scratch / f"{number}.parquet", ["json"]) as sieve:
            damage = _sift(found, sieve)
        if not damage and sieve.kept:
            [(names,)] = connection.execute(
                f"select {_KEYS} from read_parquet({literal(str(sieve.path))})"
            ).fetchall()
            damage = what_is_missing(found.kind.family, names)
        else:
            names = []
        if damage:
            reading.rejected.append((found, damage))
            continue
        family = found.kind.family
        columns = _columns(family, names, found.kind.constants)
        checks = _checks(family, columns, at_once=False)
        take_rest(sieve, family, columns, reading, is_strict=is_strict, checks=checks)


def _columns(family: Family, names: Sequence[str], constants: Constants) -> Columns:
    present = [(name, _json_field(name), JSON) for name in names]
    return raw_columns(family, present, dict(constants), is_text=True)


def _checks(family: Family, columns: Columns, *, at_once: bool) -> Columns:
    """What must hold inside of JSON, where models read it; not each by itself if `at_once`."""
    inside = {column.name: column.inside for column in family.declared if column.inside}
    checks: list[tuple[str, Kind, str]] = []
    for name, kind, sql in columns:
        # what a list holds is looked at an element at a time
        paths = {path.rpartition(".")[0] for path in inside.get(name, ()) if EACH not in path}
        for path in sorted(paths):
            part = f"json_extract({sql}, {literal(f'$.{path}' if path else '$')})"
            twice = f"case when not {_IS_ONCE.format(part)} then error({literal(KEY_TWICE)}) end"
            checks.append((name, kind, twice))
        if kind == "json":
            checks.append((name, kind, _check_keys(sql)))
        if name in inside and at_once:
            checks.append((name, kind, check_at_once(sql, inside[name])))
        elif name in inside:
            checks += [
                (f"{name}.{keys}" if keys else name, of, check)
                for keys, of, check in checks_inside(sql, inside[name])
            ]
    return tuple(checks)


def _check_keys(sql: str) -> str:
    """SQL that raises where JSON has a key that is too long, looked for only where it would fit."""
    texts = f"""regexp_extract_all({sql}, '"(?:[^"\\\\]|\\\\.)*"\\s*:?')"""
    long = refuse(literal(""), f"it holds a key of more than {LONGEST_KEY:,} characters")
    return f"""case
        when strlen({sql}) > {LONGEST_KEY} and len(list_filter(
            {texts}, lambda text: text[-1] = ':' and length(text) > {LONGEST_KEY} + 3
        )) > 0 then {long}
    end"""


def _json_field(name: str) -> str:
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    return f"json_extract(json, {pointer})"


def _sift(found: Found, sieve: Sieve) -> str | None:
    """Give the objects of `found` to `sieve`, or say why there are none to be had."""
    some: list[tuple[int, str]] = []
    size = 0
    try:
        with opened(found, newline="\n") as handle:
            for number, line in lines(handle):
                if line is None:
                    sieve.refuse(number, TOO_LONG)
                elif not is_utf8(line):
                    sieve.refuse(number, NOT_UTF8)
                elif text := line.strip(BLANKS):
                    some.append((number, text))
                    size += len(text)
                if len(some) >= RECORDS_AT_ONCE or size > BYTES_AT_ONCE:
                    _sort(some, sieve)
                    some, size = [], 0
            _sort(some, sieve)
    except NotText as error:
        return str(error)
    except UNSOUND:
        return CUT_SHORT
    return None


def _sort(some: Sequence[tuple[int, str]], sieve: Sieve) -> None:
    """The objects of some lines; several may stand on one, with nothing between them."""
    texts = [text for _, text in some]
    for (number, text), is_object in zip(some, _are_objects(sieve.connection, texts), strict=True):
        if is_object:
            sieve.keep(number, [text])
            continue
        parts = [piece.strip(BLANKS) for piece in objects(text)]
        verdicts = _are_objects(sieve.connection, parts) if len(parts) > 1 else [False]
        bad = [part for part, is_whole in zip(parts, verdicts, strict=True) if not is_whole]
        if bad:  # nobody knows where the next object would begin, and half a line is no line
            sieve.refuse(number, _fault(bad[0], sieve.found.kind.family))
        else:
            for part in parts:
                sieve.keep(number, [part])


def _are_objects(connection: Connection, texts: Sequence[str]) -> list[bool]:
    """Whether DuckDB, which is to read them, takes each for a JSON object without a key twice."""
    if not texts:
        return []
    return [
        verdict
        for (verdict,) in connection.execute(
            "select case when json_valid(text) then json_type(text) = 'OBJECT' and"
            f" {_IS_ONCE.format('text')} else false end"
            " from (select unnest($texts) as text, unnest(range(len($texts))) as place)"
            " order by place",
            {"texts": texts},
        ).fetchall()
    ]


def _fault(text: str, family: Family) -> str:
    """Why a line is no JSON object, without its content."""
    try:
        body = json.loads(text)
        is_whole = is_utf8(json.dumps(body, ensure_ascii=False))
    except RecursionError:
        return "the line is nested too deeply"
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or "Unterminated string" in error.msg:
            return "the line is not valid JSON: it ends in the middle of an object"
        return "the line is not valid JSON"
    if not isinstance(body, dict):
        return "the line is not a JSON object"
    if not is_whole:
        return "the line holds half a character: a \\ud800 to \\udfff without its other half"
    return _twice(text, family) or "the line is not valid JSON"


def _twice(text: str, family: Family) -> str | None:
    names = [name for name, _ in json.loads(text, object_pairs_hook=tuple)]
    known = {*family.columns, *(name for names in family.aliases.values() for name in names)}
    for name in names:
        if names.count(name) > 1:
            return f"the line has {f'the key `{name}` twice' if name in known else KEY_TWICE}"
    return None
