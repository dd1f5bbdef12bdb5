"""Text that people type: how long, and in which one form e-mails and phone numbers are stored and compared."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

LEAST_PASSWORD, MOST_PASSWORD = 12, 128


def normal_email(text: str) -> str:
    """The address in lower case. Raises `ValueError` where it is none; no mail server is asked."""
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("Not a valid e-mail address.") from error


def normal_phone(text: str, region: str) -> str:
    """The number in E.164, such as +12125550142; `region` (a country code) reads those without a country code.

    Raises `ValueError` where it is no possible number.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("Not a valid phone number.") from error
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE or number.extension:
        raise ValueError("Not a valid phone number; write the area code, and a + before a foreign country code.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
