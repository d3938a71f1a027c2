"""The blocks of an Avro file, unpacked one at a time: each in bounds, and of any codec."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any

from pipelines.loading.bounds import LARGEST_BLOCK, LARGEST_DESCRIPTION, MB, unpacks_too_far

MAGIC = b"Obj\x01"
_SYNC = 16
_TOO_LARGE = f"a block of it unpacks to more than {LARGEST_BLOCK // MB} MB"


class NotAvro(Exception):
    """The file cannot be read; the message is a reason for the quarantine."""


class NotHere(NotAvro):
    """The file cannot be read on this machine, as it is: nothing is wrong with the file."""


class Damaged(Exception):
    """The file is not what it says it is."""


class Unpacked(io.RawIOBase):
    """An Avro file as it would be without a codec, to be read from its beginning to its end.

    `row_size` is what a record of the last block takes, unpacked.
    """

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._size = handle.seek(0, io.SEEK_END)
        self._unpacked = 0
        handle.seek(0)
        self.row_size = 1.0
        if handle.read(len(MAGIC)) != MAGIC:
            raise Damaged
        metadata = self._metadata()
        codec = metadata.get("avro.codec", b"null").decode("utf-8", "replace")
        self._unpack = _unpacker(codec)
        metadata["avro.codec"] = b"null"
        self._sync = self._bytes(_SYNC)
        entries = b"".join(
            _text(name.encode("utf-8", "surrogateescape")) + _text(value)
            for name, value in metadata.items()
        )
        self._ready = io.BytesIO(MAGIC + _number(len(metadata)) + entries + _number(0) + self._sync)

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, from one block; none at the end of the file."""
        part = self._ready.read(size)
        while not part and self._next():
            part = self._ready.read(size)
        return part

    def _next(self) -> bool:
        first = self._handle.read(1)
        if not first:
            return False
        count = self._long(first)
        size = self._long()
        if count < 0 or not 0 <= size <= LARGEST_BLOCK:
            raise Damaged if size < 0 or count < 0 else NotAvro(_TOO_LARGE)
        packed = self._bytes(size)
        try:
            data = self._unpack(packed)
        except (NotAvro, Damaged):
            raise
        except Exception as error:  # each codec has its own, and bzip2 says that the disk failed
            raise Damaged from error
        if len(data) > LARGEST_BLOCK:
            raise NotAvro(_TOO_LARGE)
        self._unpacked += len(data)
        if reason := unpacks_too_far(self._size, self._unpacked):
            raise NotAvro(reason)
        if count > len(data):
            raise NotAvro("it says that it holds more rows than bytes")
        if self._bytes(_SYNC) != self._sync:
            raise Damaged
        self.row_size = len(data) / max(count, 1)
        self._ready = io.BytesIO(_number(count) + _text(data) + self._sync)
        return True

    def _metadata(self) -> dict[str, bytes]:
        metadata: dict[str, bytes] = {}
        while count := self._long():
            if count < 0:  # then its size in bytes stands before it
                count = -count
                self._long()
            for _ in range(count):
                name = self._bytes(self._long()).decode("utf-8", "surrogateescape")
                metadata[name] = self._bytes(self._long())
        return metadata

    def _long(self, first: bytes = b"") -> int:
        number = shift = 0
        byte = (first or self._bytes(1))[0]
        while byte & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise Damaged
            byte = self._bytes(1)[0]
        number |= byte << shift
        return (number >> 1) ^ -(number & 1)

    def _bytes(self, size: int) -> bytes:
        if not 0 <= size <= max(LARGEST_BLOCK, LARGEST_DESCRIPTION):
            raise Damaged
        data = self._handle.read(size)
        if len(data) < size:
            raise Damaged
        return data


def _number(value: int) -> bytes:
    value <<= 1  # never negative here
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(data: bytes) -> bytes:
    return _number(len(data)) + data


def _unpacker(codec: str) -> Callable[[bytes], bytes]:
    """Unpacks a block, to one byte more than is allowed at most."""
    match codec:
        case "null":
            return bytes
        case "deflate":
            # some writers leave a checksum of another format behind it
            return _of_streams(lambda: zlib.decompressobj(-zlib.MAX_WBITS), only_first=True)
        case "bzip2":
            return _of_streams(bz2.BZ2Decompressor)
        case "xz":
            return _of_streams(lambda: lzma.LZMADecompressor(memlimit=128 * MB))
        case "zstandard" | "snappy" | "lz4":
            try:
                return {"zstandard": _zstandard, "snappy": _snappy, "lz4": _lz4}[codec]()
            except ImportError as error:
                raise NotHere(
                    f"it is packed with {codec}, for which the package {error.name} is missing"
                    " here: run make setup, or install it"
                ) from error
    known = "deflate, snappy, zstandard, lz4, bzip2 or xz"
    shown = f"`{codec}`" if codec.isalnum() and len(codec) < 20 else "a codec"
    raise NotAvro(f"it is packed with {shown}, which nobody reads here: write it with {known}")


def _of_streams(stream: Callable[[], Any], *, only_first: bool = False) -> Callable[[bytes], bytes]:
    def unpack(data: bytes) -> bytes:
        parts: list[bytes] = []
        left = LARGEST_BLOCK + 1
        while data and left:
            unpacking = stream()
            parts.append(unpacking.decompress(data, left))
            left -= len(parts[-1])
            if left and not unpacking.eof:
                raise Damaged
            data = b"" if only_first else unpacking.unused_data
        return b"".join(parts)

    return unpack


def _zstandard() -> Callable[[bytes], bytes]:
    from backports import zstd

    return _of_streams(zstd.ZstdDecompressor)


def _snappy() -> Callable[[bytes], bytes]:
    from cramjam import snappy

    def unpack(data: bytes) -> bytes:
        body, checksum = data[:-4], data[-4:]
        if snappy.decompress_raw_len(body) > LARGEST_BLOCK:
            raise NotAvro(_TOO_LARGE)
        whole = bytes(snappy.decompress_raw(body))
        if zlib.crc32(whole).to_bytes(4, "big") != checksum:
            raise Damaged
        return whole

    return unpack


def _lz4() -> Callable[[bytes], bytes]:
    from lz4 import block

    def unpack(data: bytes) -> bytes:
        if int.from_bytes(data[:4], "little") > LARGEST_BLOCK:
            raise NotAvro(_TOO_LARGE)
        return bytes(block.decompress(data))

    return unpack
