"""Schemas of sign-in, for staff and customers."""

from marshmallow import fields, validate

from app.accounts.devices import HEADER
from app.core.fields import Email, Password, Text
from app.core.fields.schemas import Input, Output


class CredentialsSchema(Input):
    # Any text: an invalid e-mail is a failed sign-in like any other.
    email = Text(required=True, validate=validate.Length(max=254))
    password = Password(new=False, required=True)


class ForgottenPasswordSchema(Input):
    email = Email(required=True)

    json_schema = {"examples": [{"email": "pat.doyle@example.com"}]}
    summaries = ("First set `SMTP_URL`: without it the shop sends no mail.",)


class TokenSchema(Output):
    token = fields.String(metadata={"description": "Send it as 'Authorization: Bearer <token>'."})
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(metadata={"description": "Seconds."})


DEVICE_GIVEN = {
    HEADER: {
        "description": "What this device is known by from now on. It lets nobody in: keep it for the next login.",
        "schema": {"type": "string"},
    }
}
DEVICE_SENT = {
    HEADER: {
        "description": "What the last login of this account gave to this device, if any. After many wrong passwords "
        "for an account, further tries are a 429 for a while, the right password too; those of a device that the "
        "account knows are counted by themselves. A new password makes all devices unknown.",
        "schema": {"type": "string"},
    }
}
