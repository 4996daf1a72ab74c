"""How each resource looks on the wire: one function each. All times are unix milliseconds."""

from .clients import client_json
from .external_accounts import external_account_json
from .json import Json
from .sessions import backend_session_json, device_session_json, session_json, token_json
from .sign_ins import first_factors, sign_in_json
from .sign_ups import sign_up_json
from .users import (
    backend_user_json,
    email_address_json,
    image_url,
    phone_number_json,
    public_user_json,
    user_json,
)
from .verifications import verification_json, visit_json

__all__ = [
    "Json",
    "backend_session_json",
    "backend_user_json",
    "client_json",
    "device_session_json",
    "email_address_json",
    "external_account_json",
    "first_factors",
    "image_url",
    "phone_number_json",
    "public_user_json",
    "session_json",
    "sign_in_json",
    "sign_up_json",
    "token_json",
    "user_json",
    "verification_json",
    "visit_json",
]
