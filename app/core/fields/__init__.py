"""The field types of an API, a file for each kind.

Each field owns how it is read, strictly; how it is shown (`_serialize`); how it stands in the document (`json_schema`);
and how the database shows it (`to_sql`, see app/core/json_sql), unless that is as marshmallow's own field does.
"""

from app.core.fields.choices import Choice
from app.core.fields.numbers import MAX_HOURS, Exact, Flag, Hours, Id, Money, Percent, Quantity, Rate, WholeNumber
from app.core.fields.query import Choices, QueryFlag, QueryId, QueryNumber, QueryTime, Search, Sort, phones_in
from app.core.fields.text import PRINTABLE_PATTERN, TEXT_PATTERN, Code, Email, Password, Phone, Remarks, Text
from app.core.fields.times import DATE, RFC_3339, UtcTime

__all__ = [
    "DATE",
    "MAX_HOURS",
    "PRINTABLE_PATTERN",
    "RFC_3339",
    "TEXT_PATTERN",
    "Choice",
    "Choices",
    "Code",
    "Email",
    "Exact",
    "Flag",
    "Hours",
    "Id",
    "Money",
    "Password",
    "Percent",
    "Phone",
    "Quantity",
    "QueryFlag",
    "QueryId",
    "QueryNumber",
    "QueryTime",
    "Rate",
    "Remarks",
    "Search",
    "Sort",
    "Text",
    "UtcTime",
    "WholeNumber",
    "phones_in",
]
