"""Schemas of invites and of their acceptance."""

from marshmallow import fields, validate

from app.core.fields import Email, Password, Text, UtcTime
from app.core.fields.schemas import Input, Output


class InviteSchema(Output):
    token = fields.String(metadata={"description": "Shown this once; good for one use at POST /invites/accept."})
    expires_at = UtcTime()
    url = fields.String(
        allow_none=True,
        metadata={"description": "Where the invited person goes, with the token; null unless `INVITE_URL` is set."},
    )
    mailed = fields.Boolean(metadata={"description": "Whether the account's e-mail gets it too."})


class AcceptanceSchema(Input):
    token = Text(required=True, validate=validate.Length(max=200))
    password = Password(required=True)
    email = Email(metadata={"description": "To sign in with from now on; needed where the shop has none."})

    summaries = ("First invite a customer or a mechanic, and put the token of the answer here.",)
    json_schema = {
        "examples": [
            {
                "token": "uN4XVf3yGDqHmVJkbZsMWTqYb8P0oCw5n1rXo2eKj0c",
                "password": "blue hatchback 2014",
                "email": "pat.doyle@example.com",
            }
        ]
    }
