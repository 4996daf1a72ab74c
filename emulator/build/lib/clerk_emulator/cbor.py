"""A strict reader for the little CBOR that WebAuthn needs (RFC 8949, CTAP2's canonical form).

It takes definite lengths and shortest encodings only: integers, byte and text strings, arrays,
maps, ``false``, ``true`` and ``null``. Tags, floats and everything else are refused.
"""

from __future__ import annotations

from typing import Any

MAX_BYTES = 64 * 1024
MAX_DEPTH = 4
"""CTAP2's own limit of nesting."""
SIMPLE: dict[int, Any] = {20: False, 21: True, 22: None}


class CborError(ValueError):
    """Bytes that are not the CBOR we take."""


def read_cbor(data: bytes) -> Any:
    """The one value that ``data`` encodes.

    :raises CborError: if it is malformed, unexpected, or more follows.
    """
    value, end = read_first(data)
    if end != len(data):
        raise CborError("more bytes follow")
    return value


def read_first(data: bytes) -> tuple[Any, int]:
    """The value that ``data`` begins with, and how many bytes it takes.

    :raises CborError: if it is malformed or unexpected.
    """
    if len(data) > MAX_BYTES:
        raise CborError("too long")
    return _value(data, 0, 1)


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH + 1:
        raise CborError("nested too deeply")
    kind, size, at = _head(data, at)
    if kind == 0:
        return size, at
    if kind == 1:
        return -1 - size, at
    if kind in (2, 3):
        return _string(data, at, size, text=kind == 3)
    if kind == 4:
        return _array(data, at, size, depth)
    if kind == 5:
        return _map(data, at, size, depth)
    if kind == 7 and size in SIMPLE:
        return SIMPLE[size], at
    raise CborError("unexpected type")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the rest begins."""
    if at >= len(data):
        raise CborError("cut off")
    kind, info = data[at] >> 5, data[at] & 0x1F
    at += 1
    if info < 24:
        return kind, info, at
    if info > 27 or kind == 7:
        raise CborError("unexpected length or type")
    width = 1 << (info - 24)
    raw = data[at : at + width]
    size = int.from_bytes(raw)
    if len(raw) < width:
        raise CborError("cut off")
    if size < (24 if width == 1 else 1 << (4 * width)):
        raise CborError("not the shortest form")
    return kind, size, at + width


def _string(data: bytes, at: int, size: int, *, text: bool) -> tuple[bytes | str, int]:
    raw = data[at : at + size]
    if len(raw) < size:
        raise CborError("cut off")
    try:
        return raw.decode() if text else raw, at + size
    except UnicodeDecodeError:
        raise CborError("not UTF-8") from None


def _array(data: bytes, at: int, size: int, depth: int) -> tuple[list[Any], int]:
    if size > len(data) - at:
        raise CborError("cut off")
    values = []
    for _ in range(size):
        value, at = _value(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, size: int, depth: int) -> tuple[dict[int | str, Any], int]:
    if size > len(data) - at:
        raise CborError("cut off")
    values: dict[int | str, Any] = {}
    for _ in range(size):
        key, at = _value(data, at, depth + 1)
        if type(key) not in (int, str) or key in values:
            raise CborError("unexpected or repeated key")
        values[key], at = _value(data, at, depth + 1)
    return values, at
