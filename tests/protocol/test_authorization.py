"""Authorization checks with ``has()``, on claims of both versions."""

from __future__ import annotations

from typing import Any

import pytest

from app.clerk import ActiveOrganization, Reverification, Session
from app.clerk.session import read_session

V1: dict[str, Any] = {
    "org_id": "org_1",
    "org_slug": "acme",
    "org_role": "org:admin",
    "org_permissions": ["org:invoices:read", "org:reports:manage"],
}
ORGANIZATION: dict[str, Any] = {
    "id": "org_1",
    "slg": "acme",
    "rol": "admin",
    "per": "read,manage",
    "fpm": "1,2,0,3",
}
V2: dict[str, Any] = {
    "v": 2,
    "o": ORGANIZATION,
    "fea": "o:invoices,u:dark_mode,uo:reports,o:exports,ou:billing",
    "pla": "u:free,o:team",
    "fva": [5, -1],
}


def session(claims: dict[str, Any], **changes: Any) -> Session:
    """A session with these claims. A value of None leaves the claim out."""
    claims = {"sub": "user_alice", "sid": "sess_1"} | claims | changes
    given = {name: value for name, value in claims.items() if value is not None}
    return read_session("the token", given)


def in_organization(**changes: Any) -> Session:
    """A session of version 2 with changes to its organization claim."""
    return session(V2, o=ORGANIZATION | changes)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({}, False),
        ({"role": "admin"}, True),
        ({"role": "org:admin"}, True),
        ({"role": "member"}, False),
        ({"role": "org:org:admin"}, False),
        ({"role": "Admin"}, False),
        ({"role": ""}, False),
        ({"role": "org:"}, False),
        ({"permission": "invoices:read"}, True),
        ({"permission": "org:invoices:read"}, True),
        ({"permission": "reports:manage"}, True),
        ({"permission": "invoices:manage"}, False),
        ({"permission": "invoices"}, False),
        ({"permission": ""}, False),
        ({"role": "admin", "permission": "invoices:read"}, True),
        ({"role": "admin", "permission": "invoices:manage"}, False),
        ({"role": "member", "permission": "invoices:read"}, False),
    ],
)
@pytest.mark.parametrize("claims", [V1, V2], ids=["v1", "v2"])
def test_roles_and_permissions(claims: dict[str, Any], asked: dict[str, str], answer: bool) -> None:
    assert session(claims).has(**asked) is answer


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"feature": "invoices"}, True),
        ({"feature": "org:invoices"}, True),
        ({"feature": "o:invoices"}, True),
        ({"feature": "organization:invoices"}, True),
        ({"feature": "user:invoices"}, False),
        ({"feature": "u:invoices"}, False),
        ({"feature": "dark_mode"}, True),
        ({"feature": "user:dark_mode"}, True),
        ({"feature": "org:dark_mode"}, False),
        ({"feature": "org:reports"}, True),
        ({"feature": "user:reports"}, True),
        ({"feature": "user:billing"}, True),
        ({"feature": "team:invoices"}, False),
        ({"feature": "ou:reports"}, False),
        ({"feature": "x:org:invoices"}, False),
        ({"feature": ":invoices"}, True),
        ({"feature": "org:"}, False),
        ({"feature": ":"}, False),
        ({"feature": ""}, False),
        ({"feature": "invoice"}, False),
        ({"feature": "team"}, False),
        ({"plan": "team"}, True),
        ({"plan": "org:team"}, True),
        ({"plan": "user:team"}, False),
        ({"plan": "user:free"}, True),
        ({"plan": "invoices"}, False),
        ({"plan": "free", "feature": "dark_mode"}, True),
        ({"plan": "free", "feature": "light_mode"}, False),
        ({"plan": "gold", "role": "admin"}, False),
        ({"plan": "team", "role": "admin", "reverification": "strict"}, True),
        ({"plan": "team", "role": "admin", "reverification": ("second_factor", 5)}, False),
    ],
)
def test_features_and_plans(asked: dict[str, Any], answer: bool) -> None:
    assert session(V2).has(**asked) is answer


def test_permissions_of_version_2_are_unpacked() -> None:
    # One bitmap for each feature of the organization, in order: read = 1, manage = 2.
    assert session(V2).permissions == {
        "org:invoices:read",
        "org:reports:manage",
        "org:billing:read",
        "org:billing:manage",
    }


def test_bitmaps_may_be_longer_than_64_bits() -> None:
    names = [f"p{place}" for place in range(130)]
    bits = 1 << 129 | 1 << 64 | 1
    permissions = in_organization(per=",".join(names), fpm=str(bits)).permissions
    assert permissions == {"org:invoices:p0", "org:invoices:p64", "org:invoices:p129"}


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({"fpm": "1"}, {"org:invoices:read"}),
        ({"fpm": "0,0,0,0,3,3"}, set()),
        ({"fpm": "4"}, set()),
        ({"fpm": "2", "per": "read,,manage"}, set()),
        ({"fpm": "4", "per": "read,,manage"}, {"org:invoices:manage"}),
    ],
    ids=[
        "fewer bitmaps than features",
        "more bitmaps than features",
        "more bits than permissions",
        "a permission without a name",
        "after a permission without a name",
    ],
)
def test_permissions_without_a_bit_or_a_name_are_not_granted(
    changes: dict[str, str], granted: set[str]
) -> None:
    assert in_organization(**changes).permissions == granted


@pytest.mark.parametrize(
    "fpm",
    ["", "x", "-1", "1.0", "1e3", "0x3", "+3", "1,x", "1,", "\u0663", "1_0", "9" * 5000, 3, [3]],
    ids=lambda value: repr(value)[:20],
)
def test_a_malformed_bitmap_grants_nothing(fpm: object) -> None:
    assert in_organization(fpm=fpm).permissions == frozenset()


@pytest.mark.parametrize("per", ["", ",", 5, ["read"], None], ids=repr)
def test_malformed_permission_names_grant_nothing(per: object) -> None:
    assert in_organization(per=per, fpm="3").permissions == frozenset()


@pytest.mark.parametrize("fea", ["o:,o:billing", "oo:x,o:billing", "o,o:billing"])
def test_a_malformed_feature_does_not_shift_the_bitmaps(fea: str) -> None:
    # The first bitmap belongs to the malformed entry, not to the next one.
    moved = session(V2, fea=fea, o=ORGANIZATION | {"fpm": "3,0"})
    assert not moved.has(permission="billing:read")


@pytest.mark.parametrize(
    ("claims", "changes"),
    [
        (V1, {"org_id": None}),
        (V1, {"org_id": 5}),
        (V1, {"org_id": ""}),
        (V1, {"v": 2}),
        (V2, {"o": None}),
        (V2, {"o": []}),
        (V2, {"o": "org_1"}),
        (V2, {"o": ORGANIZATION | {"id": ""}}),
        (V2, {"o": ORGANIZATION | {"id": None}}),
        (V2, {"v": None}),
        (V2, {"v": "2"}),
        (V2, {"v": 3}),
        (V2, {"v": True}),
    ],
)
def test_without_an_active_organization_there_is_no_role_or_permission(
    claims: dict[str, Any], changes: dict[str, Any]
) -> None:
    alone = session(claims, **changes)
    assert alone.organization is None
    assert alone.permissions == frozenset()
    assert not alone.has(role="admin")
    assert not alone.has(permission="invoices:read")


@pytest.mark.parametrize("role", [None, "", 5, ["admin"]])
def test_a_malformed_role_counts_as_no_role(role: object) -> None:
    for member in (in_organization(rol=role), session(V1, org_role=role)):
        for asked in ("admin", "org:", "org:None", "None", "5"):
            assert not member.has(role=asked)


@pytest.mark.parametrize("listed", [None, "org:invoices:read", {"org:invoices:read": 1}, 5, [5]])
def test_malformed_permissions_of_version_1_grant_nothing(listed: object) -> None:
    assert not session(V1, org_permissions=listed).has(permission="invoices:read")


@pytest.mark.parametrize(
    "claim", [None, "", "invoices", ":invoices", "x:invoices", ["o:invoices"], {"o": "invoices"}, 5]
)
def test_malformed_features_and_plans_grant_nothing(claim: object) -> None:
    assert not session(V2, fea=claim).has(feature="invoices")
    assert not session(V2, pla=claim).has(plan="invoices")
    assert session(V2, fea=claim).permissions == frozenset()


@pytest.mark.parametrize(
    ("wanted", "ages", "answer"),
    [
        # Both factors in the last 10 minutes, if both are enrolled.
        ("strict_mfa", [9, 9], True),
        ("strict_mfa", [9, 10], False),
        ("strict_mfa", [10, 9], False),
        ("strict_mfa", [9, -1], True),
        ("strict_mfa", [10, -1], False),
        ("strict_mfa", [-1, 9], False),
        # The second factor, or the first if there is no second.
        ("strict", [99, 9], True),
        ("strict", [0, 10], False),
        ("strict", [9, -1], True),
        ("strict", [10, -1], False),
        ("strict", [-1, 9], True),
        ("moderate", [99, 59], True),
        ("moderate", [0, 60], False),
        ("moderate", [59, -1], True),
        ("lax", [9999, 1439], True),
        ("lax", [0, 1440], False),
        ("lax", [1440, -1], False),
        # An explicit level and number of minutes.
        (("first_factor", 5), [4, 99], True),
        (("first_factor", 5), [5, 0], False),
        (("first_factor", 5), [-1, 0], False),
        (("second_factor", 1), [9, 0], True),
        (("multi_factor", 1440), [1439, 1439], True),
        (Reverification("second_factor", 30), [99, 29], True),
        (Reverification("second_factor", 30), [0, 30], False),
        # No factor was verified.
        ("strict_mfa", [-1, -1], False),
        ("strict", [-1, -1], False),
        ("lax", [-1, -1], False),
        (("first_factor", 1440), [-1, -1], False),
    ],
)
def test_reverification(wanted: Any, ages: list[int], answer: bool) -> None:
    assert session(V2, fva=ages).has(reverification=wanted) is answer


@pytest.mark.parametrize(
    "ages",
    [None, [], [0], [0, 0, 0], "00", {"0": 0}, 0, ["0", "0"], [0.0, 0], [True, True], [0, -2]],
    ids=repr,
)
def test_malformed_factor_ages_never_satisfy_a_reverification(ages: object) -> None:
    current = session(V2, fva=ages)
    assert not current.has(reverification="lax")
    assert not current.has(reverification="strict_mfa")


@pytest.mark.parametrize(
    "wanted",
    ["", "STRICT", "never", ("third_factor", 10), ("second_factor", 0), ("second_factor", -5), ()],
    ids=repr,
)
def test_an_unknown_reverification_is_never_satisfied(wanted: Any) -> None:
    assert not session(V2, fva=[0, 0]).has(reverification=wanted)


@pytest.mark.parametrize(
    ("level", "minutes"), [("third_factor", 10), ("first_factor", 0), ("first_factor", True)]
)
def test_an_invalid_reverification_is_rejected(level: str, minutes: int) -> None:
    with pytest.raises(ValueError, match="expected one of the levels"):
        Reverification(level, minutes)


@pytest.mark.parametrize("asked", [{"role": "admin"}, {"plan": "team"}, {"reverification": "lax"}])
def test_a_pending_session_has_no_permissions(asked: dict[str, Any]) -> None:
    assert session(V2).has(**asked)
    assert not session(V2, sts="pending").has(**asked)


@pytest.mark.parametrize("claims", [V1, V2], ids=["v1", "v2"])
def test_both_versions_describe_the_same_organization(claims: dict[str, Any]) -> None:
    expected = ActiveOrganization(id="org_1", slug="acme", role="org:admin")
    assert session(claims).organization == expected


def test_a_session_describes_its_user() -> None:
    current = session(V2, act={"sub": "user_staff"}, fva=[3, -1])
    assert (current.user_id, current.id) == ("user_alice", "sess_1")
    assert current.actor_id == "user_staff"
    assert current.factor_ages == (3, -1)
    assert not current.is_pending
    assert session(V2).actor_id is None
    assert session(V2, fva=[0]).factor_ages is None
    assert session(V2, sts="pending").is_pending
    assert not session(V2, sts="active").is_pending


def test_a_session_hides_its_token_in_logs_and_cannot_be_changed() -> None:
    current = session(V2)
    assert "the token" not in repr(current)
    current.claims["pla"] = "u:gold"
    current.claims["o"]["fpm"] = "3,3,3,3"
    assert not current.has(plan="gold")
    assert not current.has(permission="invoices:manage")


@pytest.mark.parametrize("name", ["role", "permission", "feature", "plan", "reverification"])
@pytest.mark.parametrize(
    "value",
    [
        123,
        0,
        1.5,
        True,
        b"admin",
        ["admin"],
        {"admin"},
        {"x": 1},
        pytest.param(object(), id="object"),
        (["x"], 10),
        ("second_factor", True),
    ],
    ids=repr,
)
def test_a_condition_of_any_type_gets_an_answer(name: str, value: Any) -> None:
    assert session(V2).has(**{name: value}) is False
    assert session(V2).has(role="admin", **({} if name == "role" else {name: value})) is (name == "role")
