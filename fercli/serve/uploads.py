"""A multipart upload, streamed to the disk with its digest: constant memory, whatever the size of the video."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fercli.errors import ConfigError, InputError, OutputError
from fercli.serve.places import clean_file_name
from fercli.serve.settings import Limits
from fercli.writing import OWNER_ONLY, writing

_PIECE = 1 << 20
"""Bytes that are collected before they are written."""
_LONGEST_OPTIONS = 64 * 1024
_SNIFFED = 4096
_SPARE_BYTES = 500_000_000
"""Free space that an upload leaves on the disk."""
_SIGNATURES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb".{4}(ftyp|moov|mdat|wide|free|skip|pnot)",  # MP4, MOV, 3GP
        rb"\x1a\x45\xdf\xa3",  # Matroska, WebM
        rb"RIFF.{4}AVI ",
        rb"OggS",
        rb"FLV\x01",
        rb"\x00\x00\x01[\xba\xb3]",  # MPEG program and video streams, VOB
        rb"\x47.{187}\x47.{187}\x47",  # MPEG transport stream
        rb".{4}\x47.{191}\x47",  # the same with time codes, M2TS
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
        rb"\x06\x0e\x2b\x34",  # MXF
        rb"\.RMF",
        rb"\x1f\x07\x00",  # DV
        rb"YUV4MPEG2",
    )
)
"""How files of the suffixes in `VIDEO_SUFFIXES` begin."""


@dataclass
class Upload:
    """An upload that has arrived.

    Attributes:
        path: the file. name: its name, as shown. size: bytes. sha256: hex digest.
        options: text of the form field `options`; empty if there is none.
    """

    path: Path
    name: str
    size: int = 0
    sha256: str = ""
    options: str = ""


@dataclass
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    name: str = ""
    value: bytearray = field(default_factory=bytearray)


async def receive(body: AsyncIterator[bytes], content_type: str, folder: Path, limits: Limits) -> Upload:
    """Write the file of a multipart request into a folder.

    Args:
        body: pieces of the request.
        content_type: its header.
        folder: an empty folder for the file.
        limits: of the service.

    Raises:
        ConfigError: the request is malformed.
        InputError: the file is no video, or too large. The caller removes the folder.
        OutputError: the disk is full.
    """
    receiver = _Receiver(folder, limits)
    parser = _parser(content_type, receiver)
    try:
        async for piece in body:
            try:
                parser.write(piece)
            except _malformed_errors() as error:
                raise _malformed(str(error)) from error
            if receiver.error is not None:
                raise receiver.error
            if len(receiver.waiting) >= _PIECE:
                await asyncio.to_thread(receiver.flush)
        return await asyncio.to_thread(receiver.finish)
    finally:
        receiver.close()


def _malformed_errors() -> tuple[type[Exception], ...]:
    from python_multipart.exceptions import FormParserError

    return (FormParserError,)


def _parser(content_type: str, receiver: _Receiver) -> Any:
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise _malformed("it has no boundary")
    try:
        return MultipartParser(options[b"boundary"], receiver.callbacks())
    except _malformed_errors() as error:
        raise _malformed(str(error)) from error


class _Receiver:
    """Gets the parts of a form from the parser."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._part = _Part()
        self._header_name, self._header_value = b"", b""
        self._digest = hashlib.sha256()
        self._file: IO[bytes] | None = None
        self._sniffed = False
        self._ended = False
        self.upload: Upload | None = None
        self.options = ""
        self.waiting = bytearray()
        self.error: InputError | ConfigError | None = None

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def flush(self) -> None:
        """Write what has come to the disk."""
        if self.upload is None or not self.waiting:
            return
        self._sniff(end=False)
        self._digest.update(self.waiting)
        with writing(self.upload.path):
            if self._file is None:
                descriptor = os.open(self.upload.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, OWNER_ONLY)
                self._file = open(descriptor, "wb")  # noqa: SIM115 (open until the upload ends)
            self._file.write(self.waiting)
        self.waiting.clear()

    def finish(self) -> Upload:
        """The upload, complete and on the disk."""
        if self.error is not None:
            raise self.error
        if self.upload is None or not self._ended:
            raise _malformed("it ends too early" if self.upload else "it has no part `file`")
        if not self.upload.size:
            raise _no_video(self.upload.name)
        self._sniff(end=True)
        self.flush()
        with writing(self.upload.path):
            assert self._file is not None, "a file with content was opened"
            self._file.flush()
            os.fsync(self._file.fileno())
        self.upload.sha256, self.upload.options = self._digest.hexdigest(), self.options
        return self.upload

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._part = _Part()

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        self._part.headers[self._header_name.decode("latin-1").lower()] = self._header_value
        self._header_name, self._header_value = b"", b""

    def _headers_finished(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, given = parse_options_header(self._part.headers.get("content-disposition", b""))
        self._part.name = given.get(b"name", b"").decode("utf-8", "replace")
        if self._part.name == "file":
            if self.upload is not None:
                self.error = _malformed("it has two parts `file`")
                return
            name = clean_file_name(given.get(b"filename", b"").decode("utf-8", "replace"))
            self.upload = Upload(self._folder / name, name)
        elif self._part.name != "options":
            self.error = _malformed(f"it has a part {self._part.name!r:.60}; known: file, options")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self.error is not None:
            return
        if self._part.name == "file" and self.upload is not None:
            self.upload.size += end - start
            if self.upload.size > self._limits.upload_bytes:
                self.error = too_large(self._limits)
                return
            self.waiting += data[start:end]
            if len(self.waiting) >= _SNIFFED and not self._sniffed:
                try:
                    self._sniff(end=False)
                except InputError as error:
                    self.error = error
        else:
            self._part.value += data[start:end]
            if len(self._part.value) > _LONGEST_OPTIONS:
                self.error = _malformed("its options are too long")

    def _part_end(self) -> None:
        if self._part.name == "options":
            self.options = self._part.value.decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True

    def _sniff(self, *, end: bool) -> None:
        """Refuse what does not begin as a video."""
        if self._sniffed or (len(self.waiting) < _SNIFFED and not end):
            return
        self._sniffed = True
        if not any(signature.match(self.waiting) for signature in _SIGNATURES):
            raise _no_video(self.upload.name if self.upload else "")


def refuse_too_large(length: str | None, folder: Path, limits: Limits) -> None:
    """Refuse an upload by its announced length, before anything of it is read.

    Raises:
        InputError: it is larger than the limit. OutputError: or than the free space.
    """
    if length is None or not length.isdecimal():
        return
    if int(length) > limits.upload_bytes + _LONGEST_OPTIONS + 4096:
        raise too_large(limits)
    if int(length) + _SPARE_BYTES > shutil.disk_usage(folder).free:
        raise OutputError("the disk of the service is full", hint="erase jobs that are done", code="disk-full")


def too_large(limits: Limits) -> InputError:
    """The error for an upload above the limit."""
    return InputError(
        f"the upload is larger than {limits.upload_bytes} bytes",
        hint="start the service with a larger --max-gigabytes, or put the video below its root",
        code="upload-too-large",
    )


def _no_video(name: str) -> InputError:
    return InputError(f"{name} is no video", hint="post a video file", code="upload-is-no-video")


def _malformed(reason: str) -> ConfigError:
    return ConfigError(
        f"the form cannot be read: {reason}",
        hint="post multipart/form-data with the parts `options` (JSON) and `file`",
        code="request-invalid",
    )
