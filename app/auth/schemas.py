"""What signs in, staff and customers alike, and what they get."""

from marshmallow import fields, validate

from app.fields import Password, Text
from app.schemas import Input, Output


class CredentialsSchema(Input):
    # As free as text can be: what is no e-mail is a failed sign-in like any other.
    email = Text(required=True, validate=validate.Length(max=254))
    password = Password(new=False, required=True)


class TokenSchema(Output):
    token = fields.String(metadata={"description": "Send it as 'Authorization: Bearer <token>'."})
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(metadata={"description": "Seconds."})
