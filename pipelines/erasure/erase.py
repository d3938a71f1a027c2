"""Forgetting a person everywhere, Heap included, and proving it.

In this order: journal, Heap, tombstones, raw, warehouse, ledger, files, proof, certificate. The
journal comes before the first act that cannot be taken back and goes after the last, so that an
erasure that stopped anywhere is taken up again by any identifier of the person. Identifiers are
compared whole; those that somebody else holds too are not used to find rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pipelines import locks
from pipelines.built.next_build import discard_unfinished
from pipelines.console import Console
from pipelines.erasure import homefiles, journal
from pipelines.erasure.certificate import Certificate, certificate_lines, facts, write
from pipelines.erasure.databases import clean_database
from pipelines.erasure.deletion import HeapDeletion, ask_heap
from pipelines.erasure.finding import find_person, refresh_person
from pipelines.erasure.journal import Journal
from pipelines.erasure.proof import prove
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.loading import tombstones
from pipelines.loading.identifiers import IDENTIFIER_TYPES
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
    on_step: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Forget the person behind an identifier: everywhere here, and in Heap.

    An erasure that was begun before and not finished is finished first.

    Args:
        settings: home and, when Heap knows the person, `HEAP_API_KEY`, `HEAP_APP_ID`,
        `HEAP_REGION`.
        identifier: person_id, cio_id, customer_id, e-mail address or Heap identity.
        console: progress and the summary.
        clock: clock and sleep.
        poll_seconds: pause between two looks at the deletion's status.
        on_step: told the name of each of `STEPS` once it is done and durable.

    Raises:
        CounterfoilError: nobody is known under it, Heap did not delete, or a trace was left.
    """
    clock = clock or Clock()
    with (
        locks.hold(settings.home, "publisher", "erase"),
        locks.hold(settings.home, "warehouse", "erase"),
    ):
        tombstones.known(settings)
        discard_unfinished(settings)  # what a build had made when it failed knows everybody too
        work = _Erasing(settings, console, clock, poll_seconds, on_step)
        begun = journal.unfinished(settings)
        asked = next((j for j in begun if j.person.is_named(identifier)), None)
        failed: CounterfoilError | None = None
        for other in begun:
            if other is not asked:
                try:
                    work.finish(other)
                    console.line(f"finished {other.certificate_id}, which had been stopped")
                except CounterfoilError as error:
                    failed = failed or error
        certificate = work.finish(asked) if asked is not None else work.begin(identifier)
    for line in certificate_lines(certificate):
        console.line(line)
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
        on_step: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.console = console
        self.clock = clock
        self.poll_seconds = poll_seconds
        self.on_step = on_step

    def begin(self, identifier: str) -> Certificate:
        """Erase somebody of whom nothing was erased yet."""
        with Ledger(self.settings) as ledger:
            person = find_person(self.settings, ledger, identifier)
        now = self.clock.now()
        return self._run(
            Journal(f"erasure-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", now, person)
        )

    def finish(self, begun: Journal) -> Certificate:
        """Go on with an erasure that was stopped, with what has come to light since."""
        with Ledger(self.settings) as ledger:
            refresh_person(self.settings, ledger, begun.person)
        return self._run(begun)

    def _run(self, work: Journal) -> Certificate:
        settings, person = self.settings, work.person
        certificate = self._tell_heap(work)
        for path in (settings.raw_path, settings.warehouse_path):
            with self.console.progress(f"erasing from {path.name}"):
                clean_database(settings, path, work)
            self._done(path.stem, work)
        # the ledger last: it knows what Heap was told, should this have to be taken up again
        clean_database(settings, settings.ledger_path, work)
        self._done("ledger", work)
        _leave_no_load_half_done(settings)
        homefiles.clean_files(settings, person, work.files_removed, work.files_rewritten)
        self._done("files", work)
        certificate.proof = prove(settings, person)
        self.on_step("proof")
        for name in ("rows_removed", "mentions_removed", "files_removed", "files_rewritten"):
            setattr(certificate, name, getattr(work, name))
        certificate.count_tombstones = work.count_tombstones
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
            heap = ask_heap(settings, ledger, person, self.clock, self.poll_seconds, before=begin)
            work.request_ids += heap.request_ids
            work.count_users = max(work.count_users, heap.count_users)
            if work.request_ids:
                heap = HeapDeletion(
                    "complete", work.count_users, work.request_ids, heap.count_shared
                )
            self._done("heap", work)
            work.count_tombstones += tombstones.add(ledger, person.tombstones(), self.clock.now())
            tombstones.write_file(settings, ledger)
            ledger.add_version("erase", self.clock.now())
            self._done("tombstones", work)
            return Certificate(
                certificate_id=work.certificate_id,
                subject_hash=ledger.identity_hash(person.subject),
                erased_at=self.clock.now(),
                heap=heap,
                count_tombstones=work.count_tombstones,
                count_shared_identifiers_kept=len(
                    [kind for kind, _ in person.shared if kind in IDENTIFIER_TYPES]
                ),
                count_identifiers_in_columns_only=person.count_in_columns_only(),
            )


def _leave_no_load_half_done(settings: Settings) -> None:
    """Undo what a killed load left in raw.duckdb, before its remains among the files go."""
    from pipelines.loading import ensure_raw
    from pipelines.loading.raw import scratch

    if settings.raw_path.exists() and scratch(settings).exists():
        ensure_raw(settings)
