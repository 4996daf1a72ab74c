"""Responses that a Backend API should never send, from empty bodies to deeply nested JSON."""

from __future__ import annotations

from tests.protocol.faulty_server import Reply, as_json

DEEP = b"[" * 100_000 + b"]" * 100_000
LONG_NUMBER = b'{"updated_at": ' + b"9" * 5000 + b"}"
HTML = (("Content-Type", "text/html"),)
NONSENSE: dict[str, Reply] = {
    "nothing": Reply(),
    "no content": Reply(status=204),
    "a page": Reply(b"<!doctype html><h1>Welcome</h1>", headers=HTML),
    "an error page": Reply(b"<h1>500</h1>", 500, HTML),
    "null": Reply(b"null"),
    "a list": Reply(b"[]"),
    "a list of numbers": Reply(b"[1, 2]"),
    "a text": Reply(b'"user"'),
    "an empty object": Reply(b"{}"),
    "half an object": Reply(b'{"id": "user'),
    "a cut connection": Reply(b'{"id": "user', missing=100),
    "a closed connection": Reply(hang_up=True),
    "deep nesting": Reply(DEEP),
    "a number of 5,000 digits": Reply(LONG_NUMBER),
    "not UTF-8": Reply(b'{"id": "\xff\xfe"}'),
    "UTF-16": Reply('{"id": "user"}'.encode("utf-16")),
    "an unknown charset": Reply(b"\xff", headers=(("Content-Type", "text/html; charset=no"),)),
    "no text encoding": Reply(b"\xff", headers=(("Content-Type", "text/html; charset=base64"),)),
    "false gzip": Reply(b"{}", headers=(("Content-Encoding", "gzip"),)),
    "a redirect to nowhere": Reply(status=302, headers=(("Location", "http://["),)),
    "a redirect without a location": Reply(status=301),
    "a redirect that is not UTF-8": Reply(status=307, headers=(("Location", "/\xff"),)),
    "a redirect to itself": Reply(status=308, headers=(("Location", "/v1/users"),)),
    "errors that are not a list": Reply(b'{"errors": "x"}', 400),
    "errors of wrong types": Reply(b'{"errors": [{"code": 5, "message": []}]}', 422),
    "an error with a header in it": Reply(b'{"errors": [{"code": "a\\r\\nX-Evil: 1"}]}', 400),
    "an invalid Retry-After": Reply(b"{}", 401, (("Retry-After", "soon"),)),
    "a rejected secret key": as_json({"errors": [{"code": "clerk_key_invalid"}]}, 401),
    "fields of wrong types": as_json(
        {
            "id": 5,
            "first_name": ["x"],
            "image_url": {"x": 1},
            "email_addresses": [None, 5, {"id": None, "email_address": 5}],
            "updated_at": 1e308,
            "directives": [5],
            "cookies": {"a": "b"},
            "keys": {"kid": "ins_test"},
        }
    ),
    "infinite": Reply(b'{"updated_at": 1e999, "email_addresses": NaN}'),
    "half a character": as_json({"first_name": "\ud800", "last_name": "\udfff"}),
    "control characters": as_json({"first_name": "a\x00b", "last_name": "\x1b[31m"}),
}
