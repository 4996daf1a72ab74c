"""Pictures that people upload of themselves."""

from __future__ import annotations

import base64
import io

import pytest
from werkzeug.test import TestResponse

from clerk_emulator import pictures
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Picture
from clerk_emulator.testing import Browser, error_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def upload(browser: Browser, content: bytes, name: str = "me.png") -> TestResponse:
    path = f"/v1/me/profile_image?__clerk_db_jwt={browser.dev_browser}"
    return browser.http.post(path, data={"file": (io.BytesIO(content), name)})


def upload_text(browser: Browser, body: bytes) -> TestResponse:
    path = f"/v1/me/profile_image?__clerk_db_jwt={browser.dev_browser}"
    return browser.http.post(path, data=body, content_type="application/octet-stream")


def test_a_picture_is_uploaded_and_shown(ada: Browser) -> None:
    image = upload(ada, PNG).get_json()["response"]
    user = ada.session()["user"]
    shown = ada.http.get(user["image_url"])
    assert image["public_url"] == user["image_url"]
    assert (user["has_image"], user["profile_image_id"]) == (True, image["id"])
    assert ada.session()["public_user_data"]["has_image"] is True
    assert shown.data == PNG
    assert shown.mimetype == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_data_url_is_accepted(ada: Browser) -> None:
    answer = upload_text(ada, b"data:image/png;base64," + base64.b64encode(PNG))
    assert answer.status_code == 200
    assert ada.http.get(ada.session()["user"]["image_url"]).data == PNG


def test_a_picture_is_replaced_and_removed(clerk: LocalClerk, ada: Browser) -> None:
    upload(ada, PNG)
    upload(ada, b"GIF89a" + bytes(20))
    (picture,) = clerk.store.find(Picture)
    assert picture.content_type == "image/gif"
    assert ada.post("/me/profile_image", "DELETE").get_json()["response"]["deleted"] is True
    assert clerk.store.count(Picture) == 0
    assert ada.session()["user"]["has_image"] is False


@pytest.mark.parametrize("content", [SVG, b"<html>", b"GIF8", b"RIFF1234WAVE", PNG[1:]])
def test_only_pictures_without_scripts_are_accepted(ada: Browser, content: bytes) -> None:
    for name in ("me.png", "me.svg"):
        assert error_of(upload(ada, content, name))[:2] == (415, "avatar_file_type_invalid")
    assert ada.session()["user"]["has_image"] is False


def test_a_too_large_picture_is_rejected(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", len(PNG) - 1)
    assert error_of(upload(ada, PNG))[:2] == (413, "avatar_file_size_exceeded")


def test_more_than_a_megabyte_is_not_too_large(ada: Browser) -> None:
    assert upload(ada, PNG + bytes(2_000_000)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"data:image/png;base64,!", b"data:image/svg+xml,<svg/>"])
def test_a_body_that_is_not_a_picture_is_rejected(ada: Browser, body: bytes) -> None:
    assert upload_text(ada, body).status_code in (415, 422)


def test_the_picture_is_deleted_with_the_account(clerk: LocalClerk, ada: Browser) -> None:
    upload(ada, PNG)
    ada.post("/me", "DELETE")
    assert clerk.store.count(Picture) == 0
