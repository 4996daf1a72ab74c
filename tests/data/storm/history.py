"""A random history of users and organizations in Clerk: its events, and the data at the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.data.deliveries import Event, deleted, event

START = 1_700_000_000_000
ROLES = ("org:admin", "org:member", "org:billing")

Object = dict[str, Any]


@dataclass
class History:
    """Clerk's data, and the events that led to it."""

    chance: random.Random
    events: list[Event] = field(default_factory=list)
    users: dict[str, Object] = field(default_factory=dict)
    organizations: dict[str, Object] = field(default_factory=dict)
    memberships: dict[str, Object] = field(default_factory=dict)
    _now: int = START
    _made: int = 0

    def tables(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """The rows that an app must have at the end, by table and ID."""
        return {
            "users": {
                id: (
                    user["email_addresses"][0]["email_address"],
                    user["first_name"],
                    user["created_at"],
                    user["updated_at"],
                )
                for id, user in self.users.items()
            },
            "organizations": {
                id: (one["name"], one["slug"], one["created_at"], one["updated_at"])
                for id, one in self.organizations.items()
            },
            "memberships": {
                id: (
                    one["organization"]["id"],
                    one["public_user_data"]["user_id"],
                    one["role"],
                    one["created_at"],
                    one["updated_at"],
                )
                for id, one in self.memberships.items()
            },
        }

    def sign_up(self) -> None:
        """Add a user."""
        id, now = self._new("user"), self._tick()
        address = {"id": f"idn_{id}", "email_address": f"{id}@example.com"}
        self.users[id] = {
            "id": id,
            "first_name": f"Name {now}",
            "primary_email_address_id": address["id"],
            "email_addresses": [address],
            "created_at": now,
            "updated_at": now,
        }
        self._record("user.created", self.users[id])

    def change_user(self) -> None:
        """Rename a user."""
        user = self._any(self.users)
        now = self._tick()
        self.users[user["id"]] = {**user, "first_name": f"Name {now}", "updated_at": now}
        self._record("user.updated", self.users[user["id"]])

    def delete_user(self) -> None:
        """Delete a user, and with it its memberships."""
        id = self._any(self.users)["id"]
        for one in list(self.memberships.values()):
            if one["public_user_data"]["user_id"] == id:
                self._remove(one)
        del self.users[id]
        self.events.append(deleted("user", id))

    def create_organization(self) -> None:
        """Add an organization."""
        id, now = self._new("org"), self._tick()
        self.organizations[id] = {
            "id": id,
            "name": f"Organization {now}",
            "slug": id.replace("_", "-"),
            "created_at": now,
            "updated_at": now,
        }
        self._record("organization.created", self.organizations[id])

    def change_organization(self) -> None:
        """Rename an organization."""
        one = self._any(self.organizations)
        now = self._tick()
        changed = {**one, "name": f"Organization {now}", "updated_at": now}
        self.organizations[one["id"]] = changed
        self._record("organization.updated", changed)

    def delete_organization(self) -> None:
        """Delete an organization, and with it its memberships."""
        id = self._any(self.organizations)["id"]
        for one in list(self.memberships.values()):
            if one["organization"]["id"] == id:
                self._remove(one)
        del self.organizations[id]
        self.events.append(deleted("organization", id))

    def join(self) -> None:
        """Let a user join an organization, perhaps for the second time."""
        user, organization = self._any(self.users), self._any(self.organizations)
        pair = (organization["id"], user["id"])
        if any(_pair(one) == pair for one in self.memberships.values()):
            return
        id, now = self._new("orgmem"), self._tick()
        self.memberships[id] = {
            "id": id,
            "role": self.chance.choice(ROLES),
            "organization": organization,
            "public_user_data": {"user_id": user["id"], "first_name": user["first_name"]},
            "created_at": now,
            "updated_at": now,
        }
        self._record("organizationMembership.created", self.memberships[id])

    def change_role(self) -> None:
        """Give a member another role."""
        one = self._any(self.memberships)
        changed = {**one, "role": self.chance.choice(ROLES), "updated_at": self._tick()}
        self.memberships[one["id"]] = changed
        self._record("organizationMembership.updated", changed)

    def leave(self) -> None:
        """Let a member leave."""
        self._remove(self._any(self.memberships))

    def _remove(self, membership: Object) -> None:
        del self.memberships[membership["id"]]
        # Unlike with users and organizations, Clerk sends the whole object.
        self._record("organizationMembership.deleted", membership)

    def _record(self, kind: str, data: Object) -> None:
        self.events.append(event(kind, data))

    def _new(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made}"

    def _tick(self) -> int:
        self._now += self.chance.randint(1, 5000)
        return self._now

    def _any(self, objects: dict[str, Object]) -> Object:
        return self.chance.choice(list(objects.values()))


def _pair(membership: Object) -> tuple[str, str]:
    return membership["organization"]["id"], membership["public_user_data"]["user_id"]


def make_history(events: int, users: int, seed: int) -> History:
    """A random history.

    :param events: the approximate number of events.
    :param users: the approximate number of users; there are a tenth as many organizations.
    """
    history = History(random.Random(seed))
    for _ in range(2):
        history.sign_up()
        history.create_organization()
    history.join()
    others = events - users - users // 10
    steps: list[Callable[[], None]] = [
        *[history.sign_up] * users,
        *[history.create_organization] * (users // 10),
        *[history.delete_user] * (users // 8),
        *[history.delete_organization] * (users // 60),
        *[history.change_user] * int(others * 0.55),
        *[history.change_organization] * int(others * 0.05),
        *[history.join] * int(others * 0.15),
        *[history.change_role] * int(others * 0.15),
        *[history.leave] * int(others * 0.05),
    ]
    history.chance.shuffle(steps)
    for step in steps:
        if len(history.memberships) < 2 or len(history.users) < 5 or len(history.organizations) < 3:
            history.sign_up()
            history.create_organization()
            history.join()
        step()
    return history
