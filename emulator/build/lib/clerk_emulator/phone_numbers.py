"""Phone numbers of accounts: what one looks like, and who has it."""

from __future__ import annotations

import re

from .claims import is_taken, taken
from .clerk import LocalClerk
from .errors import ClerkError, missing
from .resources import PhoneNumber, new_id

E164 = re.compile(r"\+[1-9]\d{6,14}")
DECORATION = re.compile(r"[\s().-]")


def normalize_phone_number(number: str, param: str = "phone_number") -> str:
    """A number in E.164 form, such as ``+15555550100``, without blanks and dashes.

    :raises ClerkError: if it is empty or not a phone number.
    """
    number = DECORATION.sub("", number)
    if not number:
        raise missing(param)
    if not E164.fullmatch(number):
        message = "Enter a valid phone number with its country code, such as +15555550100."
        raise ClerkError("form_param_format_invalid", message, param=param)
    return number


def check_phone_number_free(clerk: LocalClerk, number: str, user_id: str = "") -> None:
    """Refuse a number that somebody has proved to be theirs.

    :param user_id: who would like to have it, and does not have it yet.
    :raises ClerkError: ``form_identifier_exists``.
    """
    if is_taken(clerk, clerk.store.find(PhoneNumber, phone_number=number), user_id):
        raise taken("phone_number")


def add_phone_number(
    clerk: LocalClerk, user_id: str, number: str, *, verified: bool
) -> PhoneNumber:
    """Give an account another phone number, which must have been normalized.

    :raises ClerkError: ``form_identifier_exists`` if it is taken.
    """
    check_phone_number_free(clerk, number, user_id)
    now = clerk.now
    phone = PhoneNumber(new_id("idn"), now, now, user_id, number, verified)
    clerk.store.put(phone)
    return phone
