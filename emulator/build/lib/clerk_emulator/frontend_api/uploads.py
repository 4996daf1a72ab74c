"""Reading the pictures that Clerk.js uploads."""

from __future__ import annotations

from flask import request

from ..clerk import base_url, current_clerk
from ..pictures import MAX_BYTES, from_data_url, store_picture
from ..resources import Picture
from ..serializers import Json

MAX_REQUEST_BYTES = MAX_BYTES * 3 // 2
"""Base64 takes a third more."""


def uploaded_picture() -> Picture:
    """The picture in this request: the multipart field ``file``, or a data URL as the body.

    :raises ClerkError: if there is none, it is too large, or it is no picture.
    """
    request.max_content_length = MAX_REQUEST_BYTES
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        content = file.read(MAX_BYTES + 1) if file else b""
    else:
        content = from_data_url(request.get_data())
    return store_picture(current_clerk(), content)


def image_json(picture: Picture) -> Json:
    """An uploaded picture, as the answer to its upload."""
    return {
        "object": "image",
        "id": picture.id,
        "name": None,
        "public_url": f"{base_url()}/avatars/{picture.id}",
    }
