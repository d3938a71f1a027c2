"""A batch: files of one family and one signature, which one SELECT can read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import accumulate

import duckdb

from pipelines.blanks import is_blank_sql
from pipelines.built.quoting import literal, quoted
from pipelines.loading.amounts import to_decimal
from pipelines.loading.bounds import too_wide
from pipelines.loading.casts import to_kind
from pipelines.loading.families import (
    LOAD_ID,
    SOURCE_FILE,
    SOURCE_FOLDER,
    SOURCE_LINE,
    WORDS,
    Family,
    Kind,
)
from pipelines.loading.files import Found
from pipelines.loading.refusing import refuse
from pipelines.plural import plural

Columns = tuple[tuple[str, Kind, str], ...]
"""Each by its name and kind, with the SQL that computes it."""
RESERVED = frozenset({SOURCE_FILE, SOURCE_FOLDER, SOURCE_LINE, LOAD_ID, "_dlt_id"})


@dataclass(frozen=True)
class Batch:
    """Files of one family and one signature.

    `columns` maps each raw column to its kind and to the SQL that computes it; `source` is the
    table function call that reads `files`, whose name column is `file_column`. `line` is the SQL
    for the place of a row in its file, in a scan of `files`. `checks` are like `columns`: they are
    not loaded, but a line of which one cannot be read cannot be read either. `rounded` are columns
    of amounts, with the SQL for whether one was finer than a cent.
    """

    family: Family
    files: tuple[Found, ...]
    columns: Columns
    source: Callable[[Sequence[Found]], str]
    file_column: str
    line: Callable[[Sequence[Found]], str]
    checks: Columns = ()
    rounded: tuple[tuple[str, str], ...] = ()

    @property
    def rows(self) -> int:
        """The rows of all files, by their footers or as counted."""
        return sum(found.rows for found in self.files)

    @property
    def absent(self) -> tuple[str, ...]:
        """Known columns that the files do not give."""
        kinds = self.family.columns
        return tuple(name for name, _, sql in self.columns if sql == _nothing(kinds.get(name)))

    def select(self, columns: Sequence[str] | None = None) -> str:
        """The SELECT that reads the batch, or only some of its `columns`."""
        chosen = [
            f"{sql} as {quoted(name)}"
            for name, _, sql in self.columns
            if columns is None or name in columns
        ]
        if columns is None:
            marks = {
                SOURCE_FILE: self._file_name(),
                SOURCE_FOLDER: self._folder(),
                SOURCE_LINE: self.line(self.files),
            }
            chosen += [f"{marks[name]} as {quoted(name)}" for name in self.family.marks]
        return f"select {', '.join(chosen)} from {self.source(self.files)}"

    def _file_name(self) -> str:
        """The name of the file a row is from, where it is read under another name too."""
        file_column = quoted(self.file_column)
        name = f"parse_filename({file_column}, false, 'forward_slash')"
        other = {
            str(found.path): found.name
            for found in self.files
            if found.path is not None and found.path.name != found.name
        }
        if not other:
            return name
        pairs = ", ".join(f"{literal(path)}: {literal(own)}" for path, own in other.items())
        return f"coalesce(map {{{pairs}}}[{file_column}], {name})"

    def _folder(self) -> str:
        """The folder of the file a row is from."""
        folders = {str(found.path): found.folder for found in self.files}
        if len(set(folders.values())) == 1:
            return literal(self.files[0].folder)
        pairs = ", ".join(f"{literal(path)}: {literal(own)}" for path, own in folders.items())
        return f"map {{{pairs}}}[{quoted(self.file_column)}]"

    def only(self, files: Sequence[Found]) -> Batch:
        """The same batch of fewer files."""
        return replace(self, files=tuple(files))


@dataclass
class Reading:
    """What can be read, and what cannot with the reason why."""

    batches: list[Batch]
    rejected: list[tuple[Found, str]]


def files_of(batches: Sequence[Batch]) -> list[Found]:
    """All files of `batches`."""
    return [found for batch in batches for found in batch.files]


def only(batches: Sequence[Batch], files: Set[Found]) -> list[Batch]:
    """The batches of those `files` alone."""
    kept = [batch.only([found for found in batch.files if found in files]) for batch in batches]
    return [batch for batch in kept if batch.files]


def spoilers(
    files: Sequence[Found], read: Callable[[Sequence[Found]], None]
) -> list[tuple[Found, Exception]]:
    """The files that make `read` fail, found by halving."""
    if not files:
        return []
    try:
        read(files)
        return []
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, UnicodeDecodeError) as error:
        if len(files) == 1:
            return [(files[0], error)]
    middle = len(files) // 2
    return spoilers(files[:middle], read) + spoilers(files[middle:], read)


def _nothing(kind: Kind | None) -> str | None:
    return to_kind(kind, "null", '"NULL"') if kind else None


def raw_columns(
    family: Family,
    present: Sequence[tuple[str, str, str]],
    constants: dict[str, str],
    *,
    is_text: bool,
) -> Columns:
    """Raw columns from the `present` ones, given as (name, SQL, DuckDB type).

    In text a row without a value in a `not_null` column cannot be read; elsewhere it is null there,
    also where it holds a blank.
    """
    exact = {name: (sql, source) for name, sql, source in present}
    spellings: dict[str, list[str]] = {}  # the lines of a file may spell one name in several ways
    for name in sorted(exact, key=str.islower, reverse=True):
        spellings.setdefault(name.lower(), []).append(name)
    used: set[str] = set()
    read = to_kind if is_text else _to_kind_or_cents
    columns: list[tuple[str, Kind, str]] = []
    for column, kind in family.columns.items():
        sources = []
        for candidate in (column, *family.aliases.get(column, ())):
            if spelt := spellings.get(candidate, []):
                used.update(spelt)
                sources.append(_the_one([read(kind, *exact[name]) for name in spelt]))
        if column in constants:
            sources.append(to_kind(kind, literal(constants[column]), "VARCHAR"))
        if len(sources) > 1:
            sql = f"coalesce({', '.join(sources)})"
        else:
            sql = sources[0] if sources else to_kind(kind, "null", '"NULL"')
        if column in family.not_null:
            sql = _required(column, kind, sql, is_text=is_text)
        columns.append((column, kind, sql))
    if family.keeps_unknown:
        taken = {*family.columns, *RESERVED}
        for name, (sql, source) in sorted(exact.items()):
            if name not in used:
                raw_name = unknown_name(name, taken)
                taken.add(raw_name)
                columns.append((raw_name, "text", to_kind("text", sql, source)))
    return tuple(columns)


def _the_one(spelt: Sequence[str]) -> str:
    """SQL for what stands under one name in several spellings, of which all that hold one agree."""
    if len(spelt) == 1:
        return spelt[0]
    several = refuse(literal(""), "its name stands there in two spellings, with two values")
    values = ", ".join(spelt)
    are_several = f"len(list_distinct([{values}])) > 1"
    return f"case when {are_several} then {several} else coalesce({values}) end"


def _to_kind_or_cents(kind: Kind, column: str, source: str) -> str:
    if kind == "decimal" and source not in ("BLOB", '"NULL"'):
        return to_decimal(column, source, rounds=True)
    return to_kind(kind, column, source)


def _required(column: str, kind: Kind, sql: str, *, is_text: bool) -> str:
    if is_text:
        missing = f"{column} is missing in a row"
        absent = is_blank_sql(sql) if kind in WORDS else f"{sql} is null"
        return f"case when {absent} then error({literal(missing)}) else {sql} end"
    if kind in WORDS and sql != _nothing(kind):
        # for nearly all a look at the first letter is enough
        return f"case when {sql} between '!' and '~' or not {is_blank_sql(sql)} then {sql} end"
    return sql


def unknown_name(name: str, taken: set[str]) -> str:
    """The raw name of a column nobody knows: dlt's spelling of it.

    A mark made from the name itself is added where dlt's spelling says less than the name, or is
    already taken: so two names never share a column, in whatever order their files come.
    """
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    naming = NamingConvention()
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    try:
        spelled = str(naming.normalize_identifier(name))[:200]
    except ValueError:  # empty or blank
        return f"unnamed_{mark}"
    faithful = re.sub(r"[ .-]", "_", name.lower()).lstrip("_") == spelled.lstrip("_")
    if faithful and spelled not in taken and not spelled.startswith("_dlt"):
        return spelled
    return str(naming.normalize_identifier(f"{spelled.lstrip('_')}_{mark}"))


def what_is_missing(family: Family, present: Sequence[str]) -> str | None:
    """The reason when `present` column names lack what `family` requires, or are too many."""
    if wide := too_wide(len(present)):
        return wide
    names = {name.lower() for name in present}
    lacking = [name for name in family.required if name not in names]
    if lacking:
        shown = ", ".join(f"`{name}`" for name in lacking)
        return f"it lacks the required {plural('column', len(lacking))} {shown}"
    for group in family.required_any:
        if not names & set(group):
            return f"it has none of the columns {', '.join(f'`{name}`' for name in group)}"
    return None


def what_is_twice(family: Family, present: Sequence[str]) -> str | None:
    """The reason when a column that `family` knows is there twice, in one spelling or in two."""
    names = [name.lower() for name in present]
    twice = [name for name in family.columns if names.count(name) > 1]
    return f"it has the column `{twice[0]}` twice" if twice else None


def place(files: Sequence[Found], header: int = 0) -> str:
    """SQL that counts the rows of each file of a scan of `files`, after `header` lines.

    A window without an order numbers rows as they stream and holds its scan to the order of the
    files, one after the other; the rows of the files before are taken off.
    """
    before = [0, *accumulate(found.rows for found in files)][:-1]
    taken_off = f" - [{', '.join(map(str, before))}][cast(file_index as bigint) + 1]"
    return f"{header} + row_number() over (){taken_off if len(files) > 1 else ''}"


def path_list(files: Sequence[Found]) -> str:
    """SQL for the paths of `files`."""
    return "[" + ", ".join(literal(str(found.path)) for found in files) + "]"
