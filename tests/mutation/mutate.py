"""`make mutate`: break one model at a time and see whether a dbt test notices.

Settings, from the environment: SAMPLE (so many mutants a domain, spread over its models; default
all), SEED, MODELS (names of models or domains, with blanks between), MUTANTS (their keys), AGAIN=1
(only what survived when it was last tried), FRESH=1 (whatever is known already), STORIES=1 (only
unit tests; what they do not notice is not kept), WORKERS. A run that was stopped goes on where it
was; the verdicts lie in `target/mutation/`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from brand import built_brand, state  # noqa: E402
from ledger import Entry, Ledger  # noqa: E402
from mutants import DOMAINS, OTHERS, PROJECT, Mutant, chosen, models, mutants_of  # noqa: E402
from report import PAGE, counted, equivalents, lost, rates, told, write_page  # noqa: E402
from session import Brand, Session, Unfit, Verdict, with_session  # noqa: E402

FOLDER = PROJECT / "target" / "mutation"


def main() -> int:
    """Judge what was asked for; 1 where something survives that was noticed before, or is stale."""
    asked = os.environ.get("MODELS", "").split()
    keys = os.environ.get("MUTANTS", "").split()
    sample = int(os.environ["SAMPLE"]) if os.environ.get("SAMPLE") else None
    seed = int(os.environ.get("SEED", "1"))
    ledger = Ledger(FOLDER / "ledger.jsonl")
    domains = (*DOMAINS, *OTHERS) if asked else DOMAINS
    paths = [p for p in models(domains) if not asked or {p.stem, _domain(p)} & set(asked)]
    found = [mutant for path in paths for mutant in mutants_of(path)]
    stale = [] if asked else _stale(found)
    if keys:
        found = [mutant for mutant in found if mutant.key in keys]
    if os.environ.get("AGAIN"):
        survived = {k for k, entry in ledger.last.items() if entry.outcome == "survived"}
        found = [mutant for mutant in found if mutant.key in survived]
    by_domain = [chosen([m for m in found if m.domain == d], seed, sample) for d in domains]
    turns = zip_longest(*by_domain)  # a run that is stopped has something of each domain
    picked = [mutant for turn in turns for mutant in turn if mutant is not None]
    now = state()
    only_stories = bool(os.environ.get("STORIES"))
    is_fresh = bool(os.environ.get("FRESH"))
    known = {k for k, entry in ledger.last.items() if entry.holds(now) and not is_fresh}
    declared = equivalents()
    waiting = [m for m in picked if m.key not in known and m.key not in declared]
    print(
        f"{len(picked)} mutants of {len(paths)} models, {len(waiting)} of them to be tried",
        flush=True,
    )
    if waiting:
        brand = replace(built_brand(FOLDER), only_stories=only_stories)
        for number, (mutant, verdict) in enumerate(judged(brand, waiting, _workers()), start=1):
            entry = Entry.of(mutant, verdict, now)
            if only_stories and entry.outcome == "survived":
                ledger.last[entry.key] = entry  # a data test might notice it yet
            else:
                ledger.add(entry)
            if entry.outcome == "survived":
                print(told(entry), flush=True)
            elif number % 25 == 0:
                print(f"  {number} of {len(waiting)}", flush=True)
    entries = [ledger.last[m.key] for m in picked if m.key in ledger.last]
    for by in ("domain", "model"):
        print("\n".join(str(rate) for rate in rates(entries, by)))
    survivors = [entry for entry in counted(entries) if entry.outcome == "survived"]
    print(
        f"{len(survivors)} survived; {sum(e.outcome == 'dead' for e in entries)} could not be run"
    )
    for key in stale:
        print(f"equivalent.csv: {key} is no mutant any more: take it out.")
    noticed_before = [] if only_stories else lost(entries)
    for entry in noticed_before:
        print(f"{PAGE.name} says that all breaks of {entry.model} are noticed: not {entry.key}.")
    if not only_stories and not noticed_before:
        write_page(entries, _whole(paths, ledger, now))
    return 1 if stale or noticed_before else 0


def judged(brand: Brand, mutants: list[Mutant], workers: int) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mutant with its verdict, in the order in which they come.

    Raises:
        Unfit: a worker could not go on; what it said.
    """
    spawn = multiprocessing.get_context("spawn")
    tasks: Any = spawn.Queue()
    answers: Any = spawn.Queue()
    tasks.cancel_join_thread()  # who stops early leaves mutants in it
    by_key = {mutant.key: mutant for mutant in mutants}
    for mutant in mutants:
        tasks.put(mutant)
    team = []
    for number in range(min(workers, len(mutants))):
        tasks.put(None)
        scratch = FOLDER / f"worker-{number}"
        worker = spawn.Process(target=_work, args=(brand, scratch, tasks, answers), daemon=True)
        worker.start()
        team.append(worker)
    for _ in mutants:
        while True:
            try:
                key, verdict = answers.get(timeout=5)
                break
            except queue.Empty:
                if not any(worker.is_alive() for worker in team):
                    raise Unfit("every worker has gone without an answer") from None
        if key not in by_key:
            raise Unfit(str(verdict))
        yield by_key[key], verdict
    for worker in team:
        worker.join()


def _work(brand: Brand, scratch: Path, tasks: Any, answers: Any) -> None:
    asking = multiprocessing.parent_process()

    def go(session: Session) -> None:
        for mutant in iter(tasks.get, None):
            if asking is None or not asking.is_alive():  # killed: nobody reads the answers
                return
            answers.put((mutant.key, session.judge(mutant)))

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            with_session(brand, scratch, go)
        except BaseException as error:
            inside = getattr(error, "exception", error)  # dbt wraps what was raised
            answers.put(
                ("", inside.args[0] if isinstance(inside, Unfit) else traceback.format_exc())
            )


def _whole(paths: list[Path], ledger: Ledger, now: str) -> set[str]:
    """The models all of whose mutants are judged at this state, or declared."""
    known = {key for key, entry in ledger.last.items() if entry.holds(now)} | set(equivalents())
    return {path.stem for path in paths if all(m.key in known for m in mutants_of(path))}


def _stale(found: list[Mutant]) -> list[str]:
    others = {mutant.key for path in models(OTHERS) for mutant in mutants_of(path)}
    return sorted(set(equivalents()) - {mutant.key for mutant in found} - others)


def _domain(path: Path) -> str:
    return path.relative_to(PROJECT).parts[1]


def _workers() -> int:
    return int(os.environ.get("WORKERS", "2"))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unfit as unfit:
        print(f"Error: {unfit}", file=sys.stderr)
        sys.exit(1)
