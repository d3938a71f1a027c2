"""Object stores on this machine: what stands for S3, GCS and Azure, each behind a door.

The door passes on what it is asked, unless a test has it answer by itself, or act just before. All
three are spoken to over HTTP, by the libraries that the extras bring, with credentials from the
environment.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.settings import PROJECT_DIR

Answer = tuple[int, Mapping[str, str], bytes]
Rule = Callable[[str, str], Answer | None]

BUCKET = "exports"
AZURITE_OPTIONS = (
    "--silent --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --blobPort 0"
)
AZURITE_ACCOUNT = "devstoreaccount1"
# the key that Azurite ships and documents, as everybody's
AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class Door:
    """Passes requests on to the server behind it."""

    def __init__(self, behind: int) -> None:
        self.rule: Rule | None = None
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = door.rule(self.command, self.path) if door.rule else None
                status, headers, content = answer or _asked(
                    behind, self.command, self.path, dict(self.headers), body
                )
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "keep-alive"):
                        self.send_header(name, value)
                if not any(name.lower() == "content-length" for name in headers):
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _asked(
    port: int, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() != "connection":
                connection.putheader(name, value)
        connection.putheader("Connection", "close")
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@dataclass
class RemoteStore:
    """A store with one bucket.

    Attributes:
        scheme: of its URLs.
        door: what stands before it.
        environment: what gives a program its address and its credentials.
        put: writes an object, by its name in the bucket.
        expired: a block in which the credentials have expired, in what then differs in the
            environment.
        fill: writes so many small objects of no known name into a folder.
        expiry: the answer to credentials that have expired, where the door gives it.
        reads: whether a request is for the content of the object of that name.
    """

    scheme: str
    door: Door
    environment: dict[str, str]
    put: Callable[[str, bytes], None]
    expired: Callable[[], AbstractContextManager[dict[str, str]]]
    reads: Callable[[str, str, str], bool]
    fill: Callable[[str, int], None]
    expiry: Answer | None = None

    def url(self, folder: str) -> str:
        return f"{self.scheme}://{BUCKET}/{folder}"


@contextmanager
def s3() -> Iterator[RemoteStore]:
    import boto3
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    door = Door(server.get_host_and_port()[1])
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.get_host_and_port()[1]}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)

    said = (
        b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>ExpiredToken</Code>'
        b"<Message>The provided token has expired.</Message></Error>"
    )
    expiry: Answer = (400, {"Content-Type": "application/xml"}, said)

    @contextmanager
    def expired() -> Iterator[dict[str, str]]:
        door.rule = lambda method, path: expiry
        yield {}
        door.rule = None

    def fill(folder: str, count: int) -> None:
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]  # over HTTP it would take minutes
        for number in range(count):
            backend.put_object(BUCKET, f"{folder}/part-{number:05d}.txt", b"x")

    try:
        yield RemoteStore(
            "s3",
            door,
            {
                **keys,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.port}",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_MAX_ATTEMPTS": "2",
            },
            lambda name, content: client.put_object(Bucket=BUCKET, Key=name, Body=content),
            expired,
            lambda method, path, name: method == "GET" and path.endswith(f"/{BUCKET}/{name}"),
            fill,
            expiry,
        )
    finally:
        door.close()
        server.stop()


@contextmanager
def gs(folder: Path) -> Iterator[RemoteStore]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    behind = server._api._httpd.server_address[1]
    door = Door(behind)
    is_valid = True

    def rule(method: str, path: str) -> Answer | None:
        if path != "/token":
            return None
        kind = {"Content-Type": "application/json"}
        if not is_valid:
            said = {"error": "invalid_grant", "error_description": "Token has been expired."}
            return 400, kind, json.dumps(said).encode()
        token = {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}
        return 200, kind, json.dumps(token).encode()

    door.rule = rule
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = folder / "account.json"
    account.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "shop",
                "private_key_id": "1",
                "private_key": key.decode(),
                "client_email": "counterfoil@shop.example",
                "client_id": "1",
                "token_uri": f"http://127.0.0.1:{door.port}/token",
            }
        )
    )

    def put(name: str, content: bytes) -> None:
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(content))}
        status, _, said = _asked(behind, "POST", path, {"Host": "x", **headers}, content)
        assert status == 200, said

    @contextmanager
    def expired() -> Iterator[dict[str, str]]:
        nonlocal is_valid
        is_valid = False
        yield {}
        is_valid = True

    def fill(folder: str, count: int) -> None:
        for number in range(count):
            put(f"{folder}/part-{number:05d}.txt", b"x")

    try:
        yield RemoteStore(
            "gs",
            door,
            {
                "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{door.port}",
                "GOOGLE_APPLICATION_CREDENTIALS": str(account),
                "NO_GCE_CHECK": "true",
            },
            put,
            expired,
            lambda method, path, name: (
                method == "GET" and f"/o/{quote(name, safe='')}?" in path and "alt=media" in path
            ),
            fill,
        )
    finally:
        door.close()
        server.stop()


def azurite() -> str | None:
    """The program, which is of npm: that of `make azurite`, or one on the PATH."""
    ours = PROJECT_DIR / ".tools/azurite/node_modules/.bin"
    return shutil.which("azurite-blob", path=f"{ours}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def az(folder: Path) -> Iterator[RemoteStore]:
    """Azurite, where `azurite()` finds it."""
    from azure.storage.blob import (
        BlobServiceClient,
        ContainerSasPermissions,
        generate_container_sas,
    )

    program = azurite()
    assert program is not None
    log = folder / "azurite.log"
    with log.open("wb") as handle:
        process = subprocess.Popen(
            [program, *AZURITE_OPTIONS.split()],
            cwd=folder,
            stdout=handle,
            stderr=subprocess.STDOUT,
        )
    try:
        behind = _azurite_port(log)
        door = Door(behind)

        def connection(port: int) -> str:
            return (
                f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};"
                f"AccountKey={AZURITE_KEY};"
                f"BlobEndpoint=http://127.0.0.1:{port}/{AZURITE_ACCOUNT};"
            )

        client = BlobServiceClient.from_connection_string(connection(behind))
        container = client.create_container(BUCKET)

        @contextmanager
        def expired() -> Iterator[dict[str, str]]:
            over = generate_container_sas(
                AZURITE_ACCOUNT,
                BUCKET,
                account_key=AZURITE_KEY,
                permission=ContainerSasPermissions(read=True, list=True),
                expiry=datetime.now(UTC) - timedelta(hours=1),
            )
            endpoint = f"http://127.0.0.1:{door.port}/{AZURITE_ACCOUNT}"
            yield {
                "AZURE_STORAGE_CONNECTION_STRING": f"BlobEndpoint={endpoint};"
                f"SharedAccessSignature={over}"
            }

        def put(name: str, content: bytes) -> None:
            container.upload_blob(name, content, overwrite=True)

        def fill(folder: str, count: int) -> None:
            for number in range(count):
                put(f"{folder}/part-{number:05d}.txt", b"x")

        yield RemoteStore(
            "az",
            door,
            {"AZURE_STORAGE_CONNECTION_STRING": connection(door.port)},
            put,
            expired,
            lambda method, path, name: method == "GET" and path.endswith(f"/{BUCKET}/{name}"),
            fill,
        )
        door.close()
    finally:
        process.kill()  # nothing of it is kept
        process.wait(timeout=30)


def _azurite_port(log: Path) -> int:
    import re

    for _ in range(1200):
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def nobody(names: Mapping[str, str]) -> dict[str, Any]:
    """An environment without any credentials but `names`."""
    kept = ("AWS_", "GOOGLE_", "AZURE_", "GCSFS_", "STORAGE_EMULATOR")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(kept)}, **names}
