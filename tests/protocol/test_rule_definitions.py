"""Rules that make no sense are rejected when the app starts."""

from __future__ import annotations

from typing import Any

import pytest

from app.clerk import requires, session_required


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"role": None},
        {"role": ""},
        {"role": 123},
        {"permission": ["x"]},
        {"permission": ""},
        {"feature": ""},
        {"plan": ""},
        {"role": "admin", "plan": ""},
        {"reverification": ""},
        {"reverification": "STRICT"},
        {"reverification": ("third_factor", 10)},
        {"reverification": ("second_factor", 0)},
        {"reverification": ("second_factor",)},
        {"reverification": ()},
        {"reverification": 10},
    ],
    ids=repr,
)
def test_invalid_rules_are_rejected(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        requires(**asked)


@pytest.mark.parametrize("accepts", ["session", (), [], ("cookie",), ("session", "ak")], ids=repr)
def test_unknown_classes_of_tokens_are_rejected(accepts: Any) -> None:
    with pytest.raises(ValueError, match="expected a tuple with"):
        session_required(accepts=accepts)


def test_options_can_be_combined() -> None:
    rule = session_required(accept_pending=True)(accepts=("session", "api_key"))
    assert rule.accept_pending
    assert rule.accepts == ("session", "api_key")


def test_a_decorator_with_empty_parentheses_is_explained() -> None:
    with pytest.raises(TypeError, match="without parentheses"):
        session_required()


def test_requires_cannot_accept_pending_sessions() -> None:
    with pytest.raises(ValueError, match="pending"):
        requires(role="admin")(accept_pending=True)


@pytest.mark.parametrize("scope", ["", " ", "a  b", " a", 'a"b', "a\\b", "a\n", "é", 5, ("a",)], ids=repr)
def test_invalid_scopes_are_rejected(scope: Any) -> None:
    with pytest.raises(ValueError, match="scopes separated by spaces"):
        session_required(accepts=("oauth",), scope=scope)


def test_sessions_have_no_scopes() -> None:
    with pytest.raises(ValueError, match="Sessions have no scopes"):
        session_required(scope="notes:read")
    with pytest.raises(ValueError, match="Sessions have no scopes"):
        session_required(accepts=("oauth",), scope="notes:read")(accepts=("session",))
