"""Pictures that somebody uploads. Only formats in which no script can hide."""

from __future__ import annotations

import base64
import binascii

from .clerk import LocalClerk
from .errors import ClerkError, missing
from .resources import Picture, new_id

MAX_BYTES = 10_000_000
MARKS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""How each format begins. What the browser calls it does not count."""


def store_picture(clerk: LocalClerk, content: bytes) -> Picture:
    """Keep an uploaded picture.

    :raises ClerkError: ``form_param_nil``, ``avatar_file_size_exceeded`` or
        ``avatar_file_type_invalid``.
    """
    if not content:
        raise missing("file")
    if len(content) > MAX_BYTES:
        message = "File size exceeds the maximum limit of 10MB. Please choose a smaller file."
        raise ClerkError("avatar_file_size_exceeded", message, 413, param="file")
    kind = picture_type(content)
    if kind is None:
        message = "File type not supported. Please upload a JPG, PNG, GIF, or WEBP image."
        raise ClerkError("avatar_file_type_invalid", message, 415, param="file")
    now = clerk.now
    picture = Picture(new_id("img"), now, now, kind, base64.b64encode(content).decode())
    clerk.store.put(picture)
    return picture


def picture_type(content: bytes) -> str | None:
    """The media type of a picture, told by its first bytes; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in MARKS.items() if content.startswith(mark)), None)


def from_data_url(text: bytes) -> bytes:
    """The bytes in ``data:image/png;base64,…``, or in base64 without that prefix.

    :raises ClerkError: ``avatar_file_type_invalid``.
    """
    _, comma, data = text.partition(b",")
    try:
        return base64.b64decode(data if comma else text, validate=True)
    except binascii.Error:
        message = "Expected a picture in base64."
        raise ClerkError("avatar_file_type_invalid", message, 415, param="file") from None


def forget_picture(clerk: LocalClerk, id: str | None) -> None:
    """Delete a picture that nothing shows any more."""
    picture = clerk.store.get(Picture, id)
    if picture is not None:
        clerk.store.delete(picture)
