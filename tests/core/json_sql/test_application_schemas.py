"""Every schema of the application: the JSON that the database builds is what the schema makes of the same row."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import selectinload, undefer

from app.commands import demo
from app.core.database.models import Row
from app.core.database.types import now
from app.core.fields.schemas import ModelOutput
from app.core.json_sql import json_of
from app.customers.schemas import CUSTOMER
from app.extensions import db
from app.inventory.schemas import PART
from app.models import Customer, Mail, MailKind, Mechanic, Part, ServiceTicket
from app.service_tickets.schemas import TICKET
from tests.support import ShopTest, empty_database

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
CENTS = st.integers(0, 99_999_999_999).map(lambda cents: Decimal(cents) / 100)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
COUNTS = st.none() | st.integers(0, 1_000_000)


def output_schemas(base: type[ModelOutput] = ModelOutput) -> Iterator[type[ModelOutput]]:
    """Every schema that shows a model."""
    for schema in base.__subclasses__():
        yield schema
        yield from output_schemas(schema)


def loading(schema: Any) -> list[Any]:
    """Options that load what the schema shows of other tables, for Python to dump it."""
    options: list[Any] = []
    for name, field in schema.dump_fields.items():
        model, option = schema.model, None
        for key in (field.attribute or name).replace("mechanic_names", "mechanics").split("."):
            if key not in model.__mapper__.relationships:
                break
            relation = getattr(model, key)
            option = selectinload(relation) if option is None else option.selectinload(relation)
            model = relation.property.entity.class_
        if option is not None:
            is_nested = isinstance(field, fields.Nested) and getattr(field.schema.opts, "model", None) is model
            options.append(option.options(*loading(field.schema)) if is_nested else option)
    return options


class CompiledReads(ShopTest):
    """`json_of`"""

    def assertEqualToItsDump(self, schema: ModelOutput) -> int:
        """Every row looks the same either way; returns how many there are."""
        model = schema.model
        shown = select(cast(json_of(schema, model), Text)).select_from(model).order_by(model.id)
        deferred = [undefer(getattr(model, a.key)) for a in model.__mapper__.column_attrs if a.deferred]
        rows = db.session.scalars(select(model).options(*loading(schema), *deferred).order_by(model.id)).all()
        for name in [name for name, field in schema.dump_fields.items() if getattr(field, "to_sql", ...) is None]:
            del schema.dump_fields[name]
        self.assertEqual([json.loads(text) for text in db.session.scalars(shown)], schema.dump(rows, many=True))
        return len(rows)

    def test_it_is_what_the_schema_makes_of_the_whole_demo_shop(self) -> None:
        empty_database()
        demo.fill(self.app.config["SHOP_RATES"])
        admin = {"email": demo.STAFF[0].email, "password": demo.PASSWORD}
        self.assertStatus(self.anyone.post("/mechanics/login", admin), 200)  # the first line of the audit log
        self.save(Mail(kind=MailKind.INVITE, customer_id=1, expires_at=now()))
        ours = (schema for schema in output_schemas() if schema.__module__.startswith("app."))
        schemas = [schema() for schema in ours if getattr(schema.opts, "model", None) is not None]
        self.assertGreater(len(schemas), 15)
        for schema in schemas:
            if issubclass(schema.model, Row):
                with self.subTest(type(schema).__name__):
                    self.assertGreater(self.assertEqualToItsDump(schema), 0)

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(text=TEXT, amount=CENTS, balance=CENTS, moment=MOMENTS, count=COUNTS)
    def test_any_text_amount_moment_and_count_come_through(
        self, text: str, amount: Decimal, balance: Decimal, moment: datetime, count: int | None
    ) -> None:
        part = Part(name=text, price=amount, sku=None, quantity_on_hand=count, cost=None, location=text)
        ticket = ServiceTicket(
            customer_id=self.customer.id,
            opened_by_id=self.mechanic.id,
            description=text,
            odometer=count,
            created_at=moment,
            updated_at=moment,
            paid=balance,
            balance=-balance,
            mechanics=[db.session.get_one(Mechanic, self.mechanic.id)],
        )
        db.session.add_all([part, ticket, Customer(name=text, phone="+12125550100", address=text, created_at=moment)])
        db.session.commit()
        for schema in (PART, TICKET, CUSTOMER):
            self.assertEqualToItsDump(schema)
