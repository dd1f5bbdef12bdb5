"""Text: words, codes, e-mail addresses, phone numbers, passwords."""

import re
from typing import Any, ClassVar

from flask import current_app
from marshmallow import ValidationError, fields, validate

from app.core.text.normalize import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    NOTHING,
    SELECTORS,
    normal_email,
    normal_password,
    normal_phone,
    trim,
)

# Control characters (PostgreSQL keeps no NUL) and halves of surrogate pairs (not to be had in UTF-8).
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PRINTABLE_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
TEXT_PATTERN = (
    r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*"
    rf"[^\s\u0000-\u001f\u007f{NOTHING}{SELECTORS}]"
    r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
)


def _printable(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("Not a valid string.")
    if _UNPRINTABLE.search(value):
        raise ValidationError("Has characters that are not text.")
    return value


class Text(fields.String):
    """Text in which there is something to be seen, without white space around it."""

    json_schema: dict[str, Any] = {"minLength": 1, "pattern": TEXT_PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        sent = _printable(value)
        self._validate_length(sent)
        text = trim(sent)
        if not text:
            raise ValidationError("May not be blank.")
        return text

    def _validate_length(self, text: str) -> None:
        # The bound holds for what was sent, as the document says, not for what is left of it.
        for validator in self.validators:
            if isinstance(validator, validate.Length):
                validator(text)


class Code(Text):
    """A code that people write in several ways and that is stored in one. `most_sent` bounds the text as sent."""

    most_sent: ClassVar[int] = 40

    def __init__(self, **kwargs: Any) -> None:
        kwargs["validate"] = validate.Length(max=self.most_sent)
        super().__init__(**kwargs)

    def normal(self, text: str) -> str:
        """The one form. Raises `ValueError` where the text is no such code."""
        raise NotImplementedError

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.normal(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Email(Code):
    """An e-mail address, in lower case."""

    json_schema = {"format": "email"}
    most_sent = 254

    def normal(self, text: str) -> str:
        return normal_email(text)


class Phone(Code):
    """A phone number in any usual way of writing, kept as E.164."""

    json_schema = {"format": "phone"}

    def normal(self, text: str) -> str:
        return normal_phone(text, current_app.config["PHONE_REGION"])


class Password(fields.String):
    """A password, taken as it is: white space counts. Its length is that of its normal form, as on any keyboard."""

    json_schema: dict[str, Any] = {"format": "password", "pattern": PRINTABLE_PATTERN}

    def __init__(self, *, new: bool = True, **kwargs: Any) -> None:
        """`new` ones must be long enough; one that is only compared may be any."""
        length = validate.Length(min=MIN_PASSWORD if new else 1, max=MAX_PASSWORD)
        super().__init__(validate=length, load_only=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return _printable(value)

    def _validate(self, value: str) -> None:
        super()._validate(normal_password(value))


class Remarks(fields.List[str]):
    """What an operation has to say of the row that it wrote; it is not kept, so reading cannot show it."""

    to_sql = None  # not read from the row

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), **kwargs)
