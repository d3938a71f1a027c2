"""Object stores: what lies behind a URL, and how it comes here whole.

Credentials are those of the environment, found as each store's own tools find them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading import contents
from pipelines.loading.contents import Unreadable
from pipelines.loading.families import FileName
from pipelines.loading.files import Found, Listing, shown
from pipelines.paths import is_plain
from pipelines.room import disk_full, is_disk_full

if TYPE_CHECKING:
    import fsspec

# URL scheme -> the extra that brings its file system; memory is fsspec's own, for trying things
EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "memory": "",
}
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of this machine",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or the service account of this machine",
    "az": "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with"
    " AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_CHATTY = ("s3fs", "aiobotocore", "botocore", "gcsfs", "google", "adlfs", "azure", "asyncio")
LONGEST_NAME = 255  # bytes; object stores allow more than file systems do
REPLACED = "it was replaced while it was being downloaded: run it again"
GONE = "it was taken away while the export was being read"

_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_MARKS = ("generation", "ETag", "etag", "md5Hash")


@dataclass
class Store:
    """Where an export lies. `refused` is the reason once its credentials have failed."""

    url: str
    extra: str
    system: fsspec.AbstractFileSystem
    refused: str = field(default="", compare=False)


def entries(
    url: str, scheme: str, listing: Listing
) -> Iterator[tuple[str, Callable[[FileName], Found]]]:
    """Every object below `url`, and how it becomes a `Found`; its root goes into `listing`.

    Raises:
        UsageError, CounterfoilError: the store cannot be reached, or not be asked like this.
    """
    import fsspec

    extra = EXTRAS[scheme]
    for library in _CHATTY:  # else what they log, tracebacks too, goes to whoever looks on
        logging.getLogger(library).addHandler(logging.NullHandler())
    if not url.partition("://")[2].partition("/")[0] and extra:
        raise UsageError(f"{shown(url)} names no bucket: give {scheme}://bucket/folder.")
    try:
        if extra == "gs":
            # plain HTTP: what the package takes by itself asks one more service, by gRPC
            from gcsfs.core import GCSFileSystem

            fsspec.register_implementation(scheme, GCSFileSystem, clobber=True)
        # of its own: another export may come with other credentials
        system, root = fsspec.core.url_to_fs(url, skip_instance_cache=bool(extra))
    except ImportError as error:
        raise UsageError(
            f"Reading {scheme}:// needs one more package: pip install 'counterfoil[{extra}]'."
        ) from error
    except Exception as error:
        raise _unreachable(url, extra, error) from error
    try:
        system.invalidate_cache()
        found = system.find(root, detail=True)
    except Exception as error:
        raise _unreachable(url, extra, error) from error
    if not found:
        raise UsageError(f"There is no export at {shown(url)}: the folder is empty or missing.")
    store = Store(shown(url), extra, system)
    prefix = f"{scheme}://"
    listing.roots.append(prefix + str(root).rstrip("/"))
    for path, facts in sorted(found.items()):
        relative = path.removeprefix(str(root)).split("/")
        if not any(part.startswith(".") for part in relative):
            folder = "/".join(relative[:-1]).strip("/")
            yield prefix + path, _maker(prefix, store, path, facts, folder)


def _maker(
    prefix: str, store: Store, path: str, facts: dict[str, Any], folder: str
) -> Callable[[FileName], Found]:
    def make(kind: FileName) -> Found:
        modified = _modified(facts)
        modified_at = None
        if isinstance(modified, datetime):
            modified_at = modified.astimezone(UTC).replace(tzinfo=None)
        return Found(
            location=prefix + path,
            name=PurePosixPath(path).name,
            kind=kind,
            size=int(facts.get("size") or 0),
            stamp=_stamp(facts),
            modified_at=modified_at,
            folder=folder,
            remote=(store, path),
        )

    return make


def _modified(facts: dict[str, Any]) -> Any:
    given = next((facts[key] for key in _TIMES if facts.get(key)), None)
    return datetime.fromtimestamp(given, UTC) if isinstance(given, (int, float)) else given


def _stamp(facts: dict[str, Any]) -> str:
    """What changes with the object, the same in a listing and in an answer about it alone."""
    mark = next((str(facts[key]).strip('"') for key in _MARKS if facts.get(key)), "")
    modified = _modified(facts)
    if isinstance(modified, datetime):
        # some answers have a fraction of a second where others have none
        modified = modified.astimezone(UTC).replace(microsecond=0)
    return mark or str(modified or "")


def bring(found: Found, folder: Path) -> Found:
    """A copy of `found` below `folder`, hashed.

    Raises:
        Unreadable: it could not be downloaded, or it was replaced meanwhile.
        CounterfoilError: the disk is full.
    """
    store, source = found.remote
    if store.refused:
        raise Unreadable(store.refused)
    # under its own name where that can be one here
    fits = is_plain(found.name) and len(found.name.encode()) <= LONGEST_NAME
    path = folder / (found.name if fits else "file")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store.system.get_file(source, str(path))
        store.system.invalidate_cache()
        facts = store.system.info(source)
    except FileNotFoundError as error:
        raise Unreadable(GONE) from error
    except Exception as error:
        if isinstance(error, OSError) and is_disk_full(error):
            raise disk_full(folder.parent) from error
        raise Unreadable(_not_downloaded(store, error)) from error
    if (_stamp(facts), int(facts.get("size") or 0)) != (found.stamp, found.size):
        raise Unreadable(REPLACED)
    content = contents.read(path).content_hash
    return replace(found, path=path, content_hash=found.kind.marked(content))


def _not_downloaded(store: Store, error: Exception) -> str:
    match _what_failed(error):
        case "expired":
            store.refused = f"it was not downloaded: {_renew(store.extra)}"
            return store.refused
        case "denied":
            return "it may not be read: give this machine credentials that may read it"
        case "busy":
            return "the store was too busy to send it, or failed: run it again in some minutes"
        case _:
            return f"it could not be downloaded ({type(error).__name__}): run it again"


def _unreachable(url: str, extra: str, error: Exception) -> CounterfoilError:
    where = shown(url)
    match _what_failed(error):
        case "missing":
            return UsageError(f"There is no export at {where}: check the address.")
        case "expired":
            return CounterfoilError(f"{where} may not be read: {_renew(extra)}.")
        case "unknown":
            return CounterfoilError(
                f"{where} may not be read: no credentials were found; set {_CREDENTIALS[extra]}."
            )
        case "denied":
            return CounterfoilError(
                f"{where} may not be read: give this machine credentials that may list and read"
                f" it ({_CREDENTIALS[extra]})."
            )
        case "busy":
            return CounterfoilError(
                f"{where} cannot be read now: the store is too busy or fails (503 and its like)."
                " Wait some minutes and run it again; nothing was changed."
            )
    return CounterfoilError(
        f"{where} cannot be read ({type(error).__name__}): check the address, the credentials and"
        " the network, and run it again."
    )


def _renew(extra: str) -> str:
    # only S3 tells credentials that were good once from wrong ones
    over = "have expired" if extra == "s3" else "have expired, or are not right"
    return f"the credentials {over}; renew them ({_CREDENTIALS[extra]}) and run it again"


_CODES = {
    "expired": {
        "expiredtoken",
        "expiredtokenexception",
        "tokenrefreshrequired",
        "requestexpired",
        "authenticationfailed",
    },
    "busy": {"slowdown", "serverbusy", "serviceunavailable", "internalerror", "operationtimedout"},
    "missing": {"nosuchbucket", "containernotfound", "nosuchkey"},
    "denied": {"invalidaccesskeyid", "signaturedoesnotmatch", "accessdenied", "invalidtoken"},
}
_EXPIRED = {"RefreshError", "UnauthorizedSSOTokenError", "TokenRetrievalError"}
_NOT_TAKEN = "failed to authenticate"  # Azure's word, also for a signature that has run out
_CLOSED = "forbidden: "
_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "DefaultCredentialsError",
    "CredentialUnavailableError",
}


def _what_failed(error: BaseException) -> str:
    """One word for what three libraries say in their own ways; their texts are never shown."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in chain:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    names = {type(one).__name__ for one in chain}
    statuses = {_status(one) for one in chain}
    codes = {_code(one) for one in chain}
    texts = " ".join(str(one) for one in chain).lower()
    signs = {
        **{word: bool(codes & some) for word, some in _CODES.items()},
        "lapsed": bool(names & _EXPIRED) or 401 in statuses or _NOT_TAKEN in texts,
        "unknown": bool(names & _NO_CREDENTIALS),
        "failing": bool(statuses & {429, 500, 502, 503, 504}),
        "closed": isinstance(error, PermissionError) or 403 in statuses or _CLOSED in texts,
        "absent": isinstance(error, FileNotFoundError) or 404 in statuses,
    }
    word = next((word for word, is_seen in signs.items() if is_seen), "")
    return {"lapsed": "expired", "failing": "busy", "closed": "denied", "absent": "missing"}.get(
        word, word
    )


def _status(error: BaseException) -> int | None:
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return (answer.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    for name in ("status_code", "status", "code"):
        if isinstance(number := getattr(error, name, None), int):
            return number
    return None


def _code(error: BaseException) -> str:
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str((answer.get("Error") or {}).get("Code", "")).lower()
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code)).lower()
