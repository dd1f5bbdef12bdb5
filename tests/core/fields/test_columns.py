"""Which field a column becomes."""

import unittest

from sqlalchemy import String

from app.core.fields.schemas import Converter
from app.extensions import db
from app.models import types


class Columns(unittest.TestCase):
    """`Converter`"""

    def test_every_column_of_a_type_of_our_own_becomes_a_field_of_its_own(self) -> None:
        ours = {
            type(column.type)
            for table in db.metadata.tables.values()
            for column in table.columns
            if isinstance(column.type, String) and type(column.type).__module__.startswith("app.")
        }
        self.assertGreater(len(ours), len([types.VinNumber, types.PlateNumber, types.SkuText]))
        self.assertEqual(ours - Converter.SQLA_TYPE_MAPPING.keys(), set())
