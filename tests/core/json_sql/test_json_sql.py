"""The library by itself: models and schemas of its own, and what marshmallow dumps of the same rows."""

import contextlib
import io
import json
import re
import unittest
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Engine,
    ForeignKey,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    null,
    select,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, composite, mapped_column, relationship

from app.core import json_sql
from app.core.json_sql import CompiledExpression, CompiledQuery, Decimals, Json, Moment, array_of, json_of
from tests import support

README = Path(json_sql.__file__).parent / "README.md"
MOMENT = datetime(2026, 11, 24, 8, 30, 0, 5, tzinfo=UTC)


class Base(DeclarativeBase):
    """The models of these tests."""


class Binding(Enum):
    CLOTH = "cloth"
    PAPER = "paper"


@dataclass
class Size:
    width: int | None
    height: int | None


class Publisher(Base):
    __tablename__ = "publishers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("publishers.id"))
    parent: Mapped["Publisher | None"] = relationship(remote_side=id)


book_authors = Table(
    "book_authors",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("author_id", ForeignKey("authors.id"), primary_key=True),
)


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(
        secondary=book_authors, order_by="[Book.title, Book.id]", back_populates="authors"
    )


class Chapter(Base):
    __tablename__ = "chapters"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    title: Mapped[str]
    book: Mapped["Book"] = relationship(viewonly=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    pages: Mapped[int | None]
    in_print: Mapped[bool | None]
    cents: Mapped[int | None] = mapped_column(BigInteger)
    tenths: Mapped[int | None]
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    binding: Mapped[Binding | None] = mapped_column(EnumType(Binding, native_enum=False))
    extra: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    width: Mapped[int | None]
    height: Mapped[int | None]
    size: Mapped[Size] = composite("width", "height")
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("publishers.id"))

    publisher: Mapped[Publisher | None] = relationship()
    authors: Mapped[list[Author]] = relationship(secondary=book_authors, order_by=Author.id, back_populates="books")
    chapters: Mapped[list[Chapter]] = relationship(order_by=Chapter.id)


class Places(fields.Field[int]):
    """A whole number of last places, as decimal text."""

    def __init__(self, places: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places = places

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else format(Decimal(value).scaleb(-self.places), "f")

    def to_sql(self, column: Any) -> Any:
        return Decimals(column, self.places)


class When(fields.Field[datetime]):
    """A moment in UTC."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        utc = value.astimezone(UTC) if value.tzinfo else value
        return f"{utc:%Y-%m-%dT%H:%M:%S.%fZ}"

    def to_sql(self, column: Any) -> Any:
        return Moment(column)


class Whole(fields.Raw):
    """A JSON column as it is."""

    def to_sql(self, column: Any) -> Any:
        return Json(column)


class Said(fields.String):
    """What is said of the row elsewhere."""

    to_sql = None


class NamedSchema(Schema):
    id = fields.Integer()
    name = fields.String()


class PublisherSchema(NamedSchema):
    parent = fields.Nested(NamedSchema)
    grandparent = fields.String(attribute="parent.parent.name")


class SizeSchema(Schema):
    across = fields.Integer(attribute="width")
    height = fields.Integer()


class ChapterSchema(Schema):
    title = fields.String()


class BookSchema(Schema):
    id = fields.Integer()
    title = fields.String()
    pages = fields.Integer(data_key="it's {0} Seiten: 100 %, größer")
    in_print = fields.Boolean()
    price = Places(2, attribute="cents")
    weight = Places(1, attribute="tenths")
    published_at = When()
    size = fields.Nested(SizeSchema())
    height = fields.Integer(attribute="size.height")
    extra = Whole()
    shelf = fields.Raw(attribute="extra.shelf")
    row = fields.Raw(attribute="extra.shelf.row")
    publisher = fields.Nested(PublisherSchema())
    publisher_name = fields.String(attribute="publisher.name")
    publisher_parent = fields.String(attribute="publisher.parent.name")
    authors = fields.Nested(NamedSchema(), many=True)
    chapters = fields.Nested(ChapterSchema(many=True))


class AuthorSchema(NamedSchema):
    books = fields.Nested(BookSchema(many=True, exclude=["authors"]))


EXTRA = {"shelf": {"row": 3, "notes": ["left", None, 1.5, True, "größer \U0001f6e2"]}}


class Library(unittest.TestCase):
    """Rows in a database of the run."""

    engine: ClassVar[Engine]

    @classmethod
    def setUpClass(cls) -> None:
        cls.engine = create_engine(support.new_database())
        cls.addClassCleanup(cls.engine.dispose)
        Base.metadata.create_all(cls.engine)

    def setUp(self) -> None:
        self.session = Session(self.engine)
        self.addCleanup(self.session.close)  # which takes back what a test added

    def add(self, *rows: Base) -> None:
        self.session.add_all(rows)
        self.session.flush()
        self.session.expire_all()

    def shown(self, schema: Schema, entity: Any) -> list[Any]:
        """What the database makes of every row, in the order of the ids."""
        texts = select(cast(json_of(schema, entity), Text)).select_from(entity).order_by(entity.id)
        return [json.loads(text) for text in self.session.scalars(texts)]

    def assertDumped(self, schema: Schema, model: type[Any]) -> list[Any]:
        """The database shows every row as the schema does; returns what it shows."""
        shown = self.shown(schema, model)
        rows = self.session.scalars(select(model).order_by(model.id)).all()
        self.assertTrue(rows)
        # marshmallow leaves out what is not to be had across null; the database shows null.
        dumped = [{**dict.fromkeys(each), **row} for each, row in zip(shown, schema.dump(rows, many=True), strict=True)]
        self.assertEqual(shown, dumped)
        return shown


class Values(Library):
    """Single values of a row."""

    def test_null_is_null_everywhere(self) -> None:
        self.add(Book(extra={"shelf": None}))
        [book] = self.assertDumped(BookSchema(exclude=["id", "row", "size"]), Book)
        values = {name: value for name, value in book.items() if name not in ("extra", "authors", "chapters")}
        self.assertEqual(set(values.values()), {None})
        self.assertEqual((book["authors"], book["chapters"]), ([], []))

    def test_truth_values(self) -> None:
        self.add(*(Book(in_print=value) for value in (True, False, None)))
        shown = self.assertDumped(BookSchema(only=["in_print"]), Book)
        self.assertEqual([book["in_print"] for book in shown], [True, False, None])

    def test_decimals(self) -> None:
        for cents, text in (
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (-1250, "-12.50"),
            (99_999_999_999, "999999999.99"),
        ):
            with self.subTest(cents):
                book = Book(cents=cents, tenths=7)
                self.add(book)
                self.assertEqual(
                    self.shown(BookSchema(only=["price", "weight"]), Book)[-1], {"price": text, "weight": "0.7"}
                )

    def test_decimals_of_a_difference(self) -> None:
        self.add(Book(cents=1250, tenths=1300))
        shown = select(Decimals(Book.cents - Book.tenths, 2))
        self.assertEqual(self.session.scalars(shown).all(), ["-0.50"])

    def test_moments(self) -> None:
        for moment in (MOMENT, MOMENT.replace(microsecond=0), datetime(1000, 1, 1, tzinfo=UTC)):
            with self.subTest(moment):
                self.add(Book(published_at=moment))
                expected = f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
                self.assertEqual(self.shown(BookSchema(only=["published_at"]), Book)[-1], {"published_at": expected})

    def test_members_of_json_are_copied(self) -> None:
        for extra in (EXTRA, {"shelf": {"row": "a \"b\" 'c'"}}, {"shelf": {"row": [1, {}]}}, {"shelf": {"row": None}}):
            with self.subTest(extra):
                self.add(Book(extra=extra))
                shown = self.shown(BookSchema(only=["extra", "shelf", "row"]), Book)[-1]
                self.assertEqual(shown, {"extra": extra, "shelf": extra["shelf"], "row": extra["shelf"]["row"]})

    def test_below_a_member_that_has_none_there_is_null(self) -> None:
        for shelf in ("left", 3, None, ["left"]):
            with self.subTest(shelf):
                self.add(Book(extra={"shelf": shelf}))
                self.assertEqual(self.shown(BookSchema(only=["shelf", "row"]), Book)[-1], {"shelf": shelf, "row": None})

    def test_a_composite_is_an_object(self) -> None:
        self.add(Book(size=Size(120, None)))
        [book] = self.assertDumped(BookSchema(only=["size", "height"]), Book)
        self.assertEqual(book, {"size": {"across": 120, "height": None}, "height": None})

    def test_names_are_those_of_the_answer(self) -> None:
        self.add(Book(pages=7))
        self.assertEqual(self.shown(BookSchema(only=["pages"]), Book), [{"it's {0} Seiten: 100 %, größer": 7}])

    def test_what_is_not_of_the_row_is_left_out(self) -> None:
        self.add(Publisher(name="Murray"))
        self.assertEqual(
            self.shown(Schema.from_dict({"name": fields.String(), "said": Said()})(), Publisher), [{"name": "Murray"}]
        )

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        title=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
        cents=st.none() | st.integers(-(10**15), 10**15),
        moment=st.none() | st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)),
    )
    def test_any_text_amount_and_moment(self, title: str | None, cents: int | None, moment: datetime | None) -> None:
        self.add(Book(title=title, cents=cents, published_at=moment, chapters=[Chapter(title=title or "")]))
        self.assertDumped(BookSchema(only=["title", "price", "published_at", "chapters"]), Book)


class Relations(Library):
    """What a row points to, and what points to it."""

    def setUp(self) -> None:
        super().setUp()
        house = Publisher(name="Murray", parent=Publisher(name="Group", parent=Publisher(name="Holding")))
        jane, other = Author(name="Jane Austen"), Author(name="Another Läd\"y'")
        emma = Book(
            title="Watsons, Emma",
            in_print=True,
            cents=1250,
            extra=EXTRA,
            publisher=house,
            authors=[other, jane],
            size=Size(1, 2),
        )
        emma.chapters = [Chapter(title="II"), Chapter(title="I")]
        self.add(emma)  # whose id comes first, and whose title last
        self.add(Book(title="Sanditon", authors=[jane], size=Size(3, 4)), Author(name="Nobody's"))

    def test_one_many_and_many_to_many(self) -> None:
        emma, sanditon = self.assertDumped(BookSchema(exclude=["row"]), Book)
        self.assertEqual(emma["publisher"]["grandparent"], "Holding")
        self.assertEqual([chapter["title"] for chapter in emma["chapters"]], ["II", "I"])
        self.assertEqual(len(emma["authors"]), 2)
        self.assertIsNone(sanditon["publisher"])

    def test_arrays_within_arrays(self) -> None:
        authors = AuthorSchema(exclude=["books.row", "books.shelf"])
        shown = self.shown(authors, Author)
        names = {author["name"]: [book["title"] for book in author["books"]] for author in shown}
        self.assertEqual(names["Jane Austen"], ["Sanditon", "Watsons, Emma"])
        self.assertEqual(names["Nobody's"], [])
        across = {book["title"]: book["publisher_parent"] for author in shown for book in author["books"]}
        self.assertEqual(across, {"Watsons, Emma": "Group", "Sanditon": None})

    def test_within_an_array_each_relation_is_joined_once(self) -> None:
        schema = Schema.from_dict(
            {
                "books": fields.Nested(
                    Schema.from_dict(
                        {
                            "one": fields.String(attribute="publisher.name"),
                            "two": fields.Integer(attribute="publisher.id"),
                        }
                    )(many=True)
                )
            }
        )
        sql = str(select(json_of(schema(), Author)).compile(self.engine))
        self.assertEqual((sql.count("JOIN publishers"), sql.count("FROM publishers")), (1, 0), sql)
        self.assertEqual([len(author["books"]) for author in self.shown(schema(), Author)], [1, 2, 0])

    def test_what_is_json_stays_json_across_a_relation(self) -> None:
        across = {
            "in_print": fields.Boolean(attribute="book.in_print"),
            "row": fields.Raw(attribute="book.extra.shelf.row"),
            "shelf": fields.Raw(attribute="book.extra.shelf"),
            "height": fields.Integer(attribute="book.size.height"),
        }
        expected = {"in_print": True, "row": 3, "shelf": EXTRA["shelf"], "height": 2}
        self.assertEqual(self.shown(Schema.from_dict(across)(), Chapter), [expected, expected])

    def test_of_an_alias(self) -> None:
        self.assertEqual(self.shown(BookSchema(), aliased(Book)), self.shown(BookSchema(), Book))

    def test_the_array_of_a_query(self) -> None:
        rows = select(json_of(NamedSchema(), Author).label("shown")).order_by(Author.name.desc())
        [text] = self.session.scalars(select(cast(array_of(rows), Text)))
        self.assertEqual([row["name"] for row in json.loads(text)], ["Nobody's", "Jane Austen", "Another Läd\"y'"])
        [text] = self.session.scalars(select(cast(array_of(rows.where(Author.id < 0)), Text)))
        self.assertEqual(json.loads(text), [])

    def test_a_compiled_query(self) -> None:
        query = CompiledQuery(
            select(cast(json_of(NamedSchema(), Author), Text)).where(Author.name == bindparam("name"))
        )
        for name in ("Jane Austen", "Another Läd\"y'", "100 % nobody"):
            with self.subTest(name):
                found = query.run(self.session.connection(), {"name": name})
                self.assertEqual(
                    [json.loads(text)["name"] for (text,) in found], [name] if "nobody" not in name else []
                )

    def test_an_expression_that_queries_share_is_compiled_once(self) -> None:
        shown = CompiledExpression(json_of(AuthorSchema(), Author))
        rows, expected = select(cast(shown, Text)).order_by(Author.id), self.shown(AuthorSchema(), Author)
        everyone = self.session.scalars(rows.where(Author.id > 0)).all()
        shown.inner = null()  # what is compiled again would show this
        last = self.session.scalars(rows.where(Author.id == expected[-1]["id"])).all()
        self.assertEqual([json.loads(text) for text in everyone], expected)
        self.assertEqual([json.loads(text) for text in last], expected[-1:])

    def test_an_expression_with_parameters_is_not_shared(self) -> None:
        with self.assertRaisesRegex(TypeError, "parameters: least"):
            CompiledExpression(Author.id > bindparam("least"))


class Shouted(fields.String):
    """A text shown its own way."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return str(value).upper()


class Refusals(unittest.TestCase):
    """What cannot be translated is refused by name, before anything is sent."""

    def assertRefused(self, field: fields.Field[Any], why: str) -> None:
        class Strange(Schema):
            mood = field

        with (
            self.subTest(why),
            self.assertRaisesRegex(TypeError, rf"Strange\.mood cannot be translated to SQL: .*{why}"),
        ):
            json_of(Strange(), Book)

    def test_by_the_names_of_schema_and_field(self) -> None:
        self.assertRefused(fields.Raw(attribute="title"), r"Raw has no method to_sql\(column\)")
        self.assertRefused(fields.List(fields.String(), attribute="title"), "List has no method")
        self.assertRefused(Shouted(attribute="title"), "Shouted has a _serialize of its own")
        self.assertRefused(fields.Integer(attribute="pages", as_string=True), "as text")
        self.assertRefused(fields.String(attribute="published_at"), "String does not show a datetime")
        self.assertRefused(fields.String(attribute="binding"), "String does not show a Binding")
        self.assertRefused(fields.Integer(attribute="in_print"), "Integer does not show a bool")
        self.assertRefused(fields.Boolean(attribute="extra.shelf"), "truth value")
        self.assertRefused(fields.String(attribute="title.first"), "has no members")
        self.assertRefused(fields.String(attribute="publisher"), "no plain Nested")
        self.assertRefused(fields.Pluck(NamedSchema, "name", attribute="publisher"), "no plain Nested")
        self.assertRefused(fields.String(attribute="chapters.title"), "leads to many rows")
        self.assertRefused(fields.String(attribute="size"), "no plain Nested")
        self.assertRefused(fields.Nested(SizeSchema(many=True), attribute="size"), "nests many")
        self.assertRefused(fields.String(), "mood")

    def test_the_innermost_name_comes_too(self) -> None:
        inner = Schema.from_dict({"title": fields.Raw()}, name="Inner")
        self.assertRefused(fields.Nested(inner(many=True), attribute="chapters"), "Inner.title cannot be translated")


class Readme(unittest.TestCase):
    """README.md"""

    def test_its_example_prints_what_it_says(self) -> None:
        text = README.read_text()
        [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        [printed] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(program, str(README), "exec"), {"__name__": "example"})
        self.assertEqual(out.getvalue(), printed)

    def test_it_names_what_there_is(self) -> None:
        named = set(re.findall(r"`(\w+)", README.read_text()))
        self.assertEqual(set(json_sql.__all__) - named, {"Rows"})
