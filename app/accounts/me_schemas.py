"""What an account is told about itself."""

from marshmallow import fields, validate

from app.core.fields import Choice, Email, Id, Text, UtcTime
from app.core.fields.schemas import Output
from app.rules.roles import Role


class MeSchema(Output):
    kind = fields.String(
        validate=validate.OneOf(["customer", "mechanic"]), metadata={"description": "mechanic: anyone of the staff."}
    )
    id = Id()
    name = Text()
    email = Email()
    role = Choice(Role, allow_none=True, metadata={"description": "What they may do; null for customers."})
    expires_at = UtcTime(metadata={"description": "When the token expires, unless the session ends before."})


ME = MeSchema()
