"""Forgetting a person everywhere, Heap included, and proving it.

In this order: journal, Heap, tombstones, raw, warehouse, ledger, files, proof, certificate. The
journal comes before the first act that cannot be taken back and goes after the last, so that an
erasure that stopped anywhere is taken up again by any identifier of the person. Identifiers are
compared whole; those that somebody else holds too are not used to find rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines import locks
from pipelines.built.next_build import discard_unfinished
from pipelines.console import Console
from pipelines.erasure import homefiles, journal
from pipelines.erasure.aggregates import aggregates_of
from pipelines.erasure.certificate import Certificate, certificate_lines, facts, write
from pipelines.erasure.databases import clean_database, other_databases
from pipelines.erasure.deletion import HEAP_SECONDS, HeapDeletion, ask_heap
from pipelines.erasure.exports import require_folders, rewrite_exports
from pipelines.erasure.finding import find_person, refresh_person
from pipelines.erasure.journal import Journal
from pipelines.erasure.proof import prove
from pipelines.erasure.stillheld import remove_ad_files, still_held
from pipelines.erasure.told import told_about
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.heap.target import find_target, require_target
from pipelines.loading import rawfiles, tombstones
from pipelines.loading.identifiers import IDENTIFIER_TYPES
from pipelines.loading.sources import FAMILIES
from pipelines.receiver.spool import close_files
from pipelines.settings import Settings

STEPS = (
    "journal", "heap", "tombstones", "raw", "warehouse", "ledger", "files", "proof", "certificate",
)  # fmt: skip
"""What `on_step` is told, each time after the step."""


def erase(
    settings: Settings,
    identifier: str,
    console: Console,
    *,
    clock: Clock | None = None,
    poll_seconds: float = 5.0,
    heap_seconds: float = HEAP_SECONDS,
    is_only_app: bool = False,
    exports: Sequence[Path] = (),
    on_step: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Forget the person behind an identifier: everywhere here, and in Heap.

    An erasure that was begun before and not finished is finished first. Where its person ever held
    the identifier, that is all: it may have other holders, whom nobody asked for.

    Args:
        settings: home and, when Heap knows the person, `HEAP_API_KEY`, `HEAP_APP_ID`,
        `HEAP_REGION`.
        identifier: person_id, cio_id, customer_id, e-mail address or Heap identity.
        console: progress and the summary.
        clock: clock and sleep.
        poll_seconds: pause between two looks at the deletion's status.
        heap_seconds: how long all that is asked of Heap about one person may take.
        is_only_app: whatever other app was told is an environment of the same Heap account, which
            one request searches whole, or is no more.
        exports: folders whose export files are rewritten without the person.
        on_step: told the name of each of `STEPS` once it is done and durable.

    Raises:
        CounterfoilError: nobody is known under it, Heap did not delete, a trace was left, or the
            list of files with rows, or one of them, is missing.
    """
    clock = clock or Clock()
    folders = require_folders([*exports, *_own(settings)])
    with (
        locks.hold(settings.home, "publisher", "erase"),
        locks.hold(settings.home, "warehouse", "erase"),
    ):
        rawfiles.require_whole(settings.raw_path, settings.home, FAMILIES)
        tombstones.known(settings)
        discard_unfinished(settings)  # what a build had made when it failed knows everybody too
        work = _Erasing(settings, console, clock, poll_seconds, heap_seconds, is_only_app, on_step)
        begun = journal.unfinished(settings)
        asked = next((j for j in begun if j.person.is_named(identifier)), None)
        asked = asked or next((j for j in begun if j.person.held(identifier)), None)
        failed: CounterfoilError | None = None
        for other in begun:
            if other is not asked:
                try:
                    work.finish(other)
                    console.line(f"finished {other.certificate_id}, which had been stopped")
                except CounterfoilError as error:
                    failed = failed or error
        # what came to light while they were finished counts too
        asked = asked or next((j for j in begun if j.person.held(identifier)), None)
        begun_now = asked if asked is not None else work.begin(identifier)
        begun_now.exports = sorted({*begun_now.exports, *map(str, folders)})
        certificate = work.finish(begun_now) if asked is not None else work.run(begun_now)
    for line in certificate_lines(certificate):
        console.line(line)
    if asked is not None and not asked.person.is_named(identifier):
        console.line(
            "Only the erasure that had been stopped was finished: its person held this identifier "
            "too, so that nobody else was erased for it."
        )
    console.record(erasure=facts(certificate))
    if failed is not None:
        raise CounterfoilError(
            f"This person was erased; an erasure begun earlier is still unfinished: {failed}"
        )
    return certificate


class _Erasing:
    """The steps of an erasure; each may be done again."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        clock: Clock,
        poll_seconds: float,
        heap_seconds: float,
        is_only_app: bool,
        on_step: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.console = console
        self.clock = clock
        self.poll_seconds = poll_seconds
        self.heap_seconds = heap_seconds
        self.is_only_app = is_only_app
        self.on_step = on_step

    def begin(self, identifier: str) -> Journal:
        """Find somebody of whom nothing was erased yet."""
        with Ledger(self.settings) as ledger:
            person = find_person(self.settings, ledger, identifier)
        now = self.clock.now()
        return Journal(f"erasure-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", now, person)

    def finish(self, begun: Journal) -> Certificate:
        """Go on with an erasure that was stopped, with what has come to light since."""
        with Ledger(self.settings) as ledger:
            refresh_person(self.settings, ledger, begun.person)
        return self.run(begun)

    def run(self, work: Journal) -> Certificate:
        """Every step from the journal to the certificate."""
        settings, person = self.settings, work.person
        certificate = self._tell_heap(work)
        copies = other_databases(settings)
        for step, paths in (
            ("raw", [settings.raw_path]),
            ("warehouse", [settings.warehouse_path, *copies]),
        ):
            for path in paths:
                with self.console.progress(f"erasing from {path.name}"):
                    clean_database(settings, path, work)
            if step == "warehouse":
                lost = [place for place in work.rows_removed if place.startswith("warehouse.")]
                work.aggregates = sorted({*work.aggregates, *aggregates_of(settings, lost)})
            self._done(step, work)
        # the ledger last: it knows what Heap was told, should this have to be taken up again
        clean_database(settings, settings.ledger_path, work)
        self._done("ledger", work)
        _leave_no_load_half_done(settings)
        homefiles.clean_files(settings, person, work.files_removed, work.files_rewritten)
        remove_ad_files(settings, person, work.file_rows, work.files_removed)
        folders = [Path(folder) for folder in work.exports]
        for folder in folders:
            close_files(folder)
        rewrite_exports(settings, folders, work)
        self._done("files", work)
        certificate.proof = prove(settings, person, folders)
        self.on_step("proof")
        for name in ("rows_removed", "mentions_removed", "files_removed", "files_rewritten"):
            setattr(certificate, name, getattr(work, name))
        certificate.count_tombstones = work.count_tombstones
        certificate.aggregates = work.aggregates
        write(certificate, settings)
        self.on_step("certificate")
        if certificate.proof.found:
            raise CounterfoilError(
                f"The erasure left traces in {', '.join(certificate.proof.found)}: remove them, "
                "then run `counterfoil erase` again."
            )
        work.close(settings)
        return certificate

    def _done(self, step: str, work: Journal) -> None:
        work.save(self.settings)
        self.on_step(step)

    def _tell_heap(self, work: Journal) -> Certificate:
        """Ask Heap, then leave tombstones: from here on nobody is told about the person again."""
        settings, person = self.settings, work.person

        def begin() -> None:
            work.save(settings)
            self.on_step("journal")

        with Ledger(settings) as ledger:
            self._note_apps(work, ledger)
            held, rows = still_held(ledger, person)
            work.still_held |= held
            work.file_rows = sorted({*work.file_rows, *rows})
            heap = ask_heap(
                settings,
                ledger,
                person,
                self.clock,
                self.poll_seconds,
                seconds=self.heap_seconds,
                is_told=bool(work.told),
                before=begin,
            )
            self._note_asked(work, ledger, heap)
            if work.request_ids:
                heap.status, heap.count_users = "complete", work.count_users
                heap.request_ids = work.request_ids
            heap.apps = {label: work.asked.get(key, "") for key, label in work.told.items()}
            self._done("heap", work)
            work.count_tombstones += tombstones.add(ledger, person.tombstones(), self.clock.now())
            kept = [(tombstones.kept_type(kind), value) for kind, value in person.kept()]
            tombstones.add(ledger, kept, self.clock.now())
            tombstones.write_file(settings, ledger)
            ledger.add_version("erase", self.clock.now())
            self._done("tombstones", work)
            waiting = sorted(label for key, label in work.told.items() if key not in work.asked)
            if waiting:
                raise CounterfoilError(
                    f"Heap was told about this person under {' and '.join(waiting)} too, which the "
                    "request does not speak for: set HEAP_APP_ID, HEAP_REGION and HEAP_API_KEY of "
                    "that app and run `counterfoil erase` again, or add --only-app where it is an "
                    "environment of the same Heap account, or no more. Until then nobody is told "
                    "about the person, and nothing here is erased."
                )
            return Certificate(
                certificate_id=work.certificate_id,
                subject_hash=ledger.identity_hash(person.subject),
                erased_at=self.clock.now(),
                heap=heap,
                count_tombstones=work.count_tombstones,
                still_held=work.still_held,
                count_shared_identifiers_kept=len(
                    [kind for kind, _ in person.shared if kind in IDENTIFIER_TYPES]
                ),
                count_identifiers_in_columns_only=person.count_in_columns_only(),
            )

    def _note_apps(self, work: Journal, ledger: Ledger) -> None:
        """Which apps were told, as long as the ledger knows it."""
        target = find_target(self.settings)
        here = ledger.target_key(target) if target else ""
        for told in told_about(ledger, work.person.values("heap_identity")):
            if told.target:
                work.told[told.target] = told.label
                if told.is_local and told.target != here:
                    work.asked.setdefault(told.target, "not asked: a local Heap of another run")

    def _note_asked(self, work: Journal, ledger: Ledger, heap: HeapDeletion) -> None:
        """For which of the apps that were told Heap's answer speaks."""
        work.request_ids += heap.request_ids
        work.count_users = max(work.count_users, heap.count_users)
        if heap.request_ids:
            here = ledger.target_key(require_target(self.settings))
            work.asked[here] = f"asked (request {', '.join(heap.request_ids)})"
        for key in work.told:
            if self.is_only_app and key not in work.asked:
                work.asked[key] = "not asked apart: of the same account, or no more (--only-app)"


def _own(settings: Settings) -> list[Path]:
    """Exports that are ours, in the home: they are rewritten without being asked for."""
    return [f for f in (settings.spool_dir, settings.snapshots_dir) if f.is_dir()]


def _leave_no_load_half_done(settings: Settings) -> None:
    """Undo what a killed load left in raw.duckdb, before its remains among the files go."""
    from pipelines.loading import ensure_raw
    from pipelines.loading.raw import scratch

    if settings.raw_path.exists() and scratch(settings).exists():
        ensure_raw(settings)
