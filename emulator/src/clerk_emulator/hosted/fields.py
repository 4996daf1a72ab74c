"""The fields of the forms, as far as the instance has them."""

from __future__ import annotations

from dataclasses import dataclass

from ..clerk import current_clerk
from ..external_accounts import PREFIX, provider_name


@dataclass(frozen=True)
class Field:
    """One field of a form."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    required: bool = True
    hint: str = ""


FIELDS = {
    field.name: field
    for field in (
        Field("first_name", "First name", autocomplete="given-name"),
        Field("last_name", "Last name", autocomplete="family-name"),
        Field("username", "Username", autocomplete="username"),
        Field("email_address", "Email address", "email", "email"),
        Field(
            "phone_number",
            "Phone number",
            "tel",
            "tel",
            hint="With the country code, such as +1 555 555 0100.",
        ),
        Field("password", "Password", "password", "new-password"),
    )
}
IDENTIFIERS = {
    "email_address": "email address",
    "phone_number": "phone number",
    "username": "username",
}


def field_named(name: str, *, required: bool) -> Field:
    """A field of a registration."""
    field = FIELDS[name]
    hint = field.hint
    if name == "password":
        hint = f"At least {current_clerk().settings.password.min_length} characters."
    return Field(field.name, field.label, field.type, field.autocomplete, required, hint)


def sign_up_fields() -> list[Field]:
    """What a registration asks for, and may ask for."""
    attributes = current_clerk().settings.attributes
    found = {name: getattr(attributes, name) for name in FIELDS}
    return [
        field_named(name, required=value.required) for name, value in found.items() if value.enabled
    ]


def identifier_field() -> Field:
    """What somebody may sign in with."""
    attributes = current_clerk().settings.attributes
    usable = [
        label
        for name, label in IDENTIFIERS.items()
        if getattr(attributes, name).enabled and getattr(attributes, name).used_for_first_factor
    ] or [IDENTIFIERS["email_address"]]
    kind = "email" if usable == [IDENTIFIERS["email_address"]] else "text"
    label = " or ".join(part for part in (", ".join(usable[:-1]), usable[-1]) if part)
    return Field("identifier", label.capitalize(), kind, "username")


def social_providers() -> list[tuple[str, str]]:
    """Strategy and name of each social login."""
    settings = current_clerk().settings
    return [
        (PREFIX + key, provider_name(settings, key))
        for key in settings.social
        if settings.has_social(key)
    ]
