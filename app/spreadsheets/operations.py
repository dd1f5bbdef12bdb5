"""Import a CSV file: check all rows, then write all of them or none.

First check every row by itself, without a transaction, and spool valid rows to a temporary file, so that memory does
not grow with the file. Then, in one transaction, compare the rows with the stored ones and write them, in a few
statements for each thousand rows. An empty cell leaves a field of a stored row unchanged and is null in a new row.
"""

import pickle
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, insert, inspect, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.access import Identity
from app.accounts.auditing import audit_written
from app.core.database.models import folded_columns
from app.core.database.transaction import advisory_lock, atomic
from app.core.decimals import to_number
from app.core.fields.schemas import ModelInput, ModelOutput
from app.customers.schemas import CUSTOMER, WalkInSchema
from app.extensions import db
from app.inventory import stock
from app.inventory.schemas import CATALOGUE, PART, NewPartSchema
from app.models import Customer, Part
from app.models.ticket_words import outdate_customers
from app.rules.sku import sku_key
from app.rules.units import NO_UNITS, Unit, fractions
from app.spreadsheets.checking import FileRow, RowError, RowErrors, check
from app.spreadsheets.schemas import CustomerRowSchema, PartRowSchema

ROWS_AT_ONCE = 1000
IN_MEMORY_BYTES = 1_000_000
INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

# A stored row: its id, its columns and the extra columns.
Stored = Any
Values = dict[str, Any]
# Column and value that identify a row, such as ("sku", "BRK-PAD-R"); and the first row of the file that has each.
Key = tuple[str, Any]
FirstRows = dict[Key, int]
T = TypeVar("T")


class Import:
    """How rows of a model are imported: their schemas, the column that identifies them, and rules of the model."""

    model: ClassVar[type[Part | Customer]]
    # The column of the file that identifies a row without an id.
    key_column: ClassVar[str]
    # The column of the table that holds the normalised key.
    stored_key_column: ClassVar[str]
    # The columns that are compared and written.
    columns: ClassVar[tuple[str, ...]]
    # Imports of the same model run one after the other under this advisory lock.
    lock_id: ClassVar[int]
    row_schema: ClassVar[ModelInput]
    new_schema: ClassVar[ModelInput]
    export_schema: ClassVar[ModelOutput]

    def normalized_key(self, values: Values) -> Any:
        """Return the key of these values as the stored key column holds it; None if they have none."""
        return values.get(self.key_column)

    def unique_keys(self, values: Values) -> list[Key]:
        """Return the keys that no other row of the file may have."""
        raise NotImplementedError

    def extra_columns(self) -> list[SQLColumnExpression[Any]]:
        """Return the columns of a stored row that `require_update` needs beside `columns`."""
        return []

    def require_new(self, values: Values) -> None:
        """Raises `RowError` if a new row cannot have these values."""
        missing = [name for name, field in self.new_schema.fields.items() if field.required and name not in values]
        if missing:
            raise RowError(dict.fromkeys(missing, f"Missing in a new {self.model.noun}."))

    def require_update(self, stored: Stored, values: Values, same_key: list[Stored]) -> None:
        """Raises `RowError` if a stored row cannot get these values; `same_key`: stored rows with the values' key."""

    def insert_rows(self, actor: Identity, rows: list[Values]) -> None:
        """Insert new rows."""
        db.session.execute(insert(self.model), [{name: row.get(name) for name in self.columns} for row in rows])

    def after_update(self, row_ids: list[int]) -> None:
        """Do what follows from the update of these rows."""


# What a new part has where its row says nothing.
UNLESS_GIVEN = {"unit": Unit.EACH, "taxable": True}


class PartImport(Import):
    """Imports parts, identified by SKU. Records the opening stock of new parts; does not change the stock of others."""

    model, key_column, stored_key_column, columns, lock_id = Part, "sku", "sku_key", CATALOGUE, 4_710_002
    row_schema, new_schema, export_schema = PartRowSchema(), NewPartSchema(), PART

    def normalized_key(self, values: Values) -> Any:
        return sku_key(values.get("sku"))

    def unique_keys(self, values: Values) -> list[Key]:
        keys = (("id", values.get("id")), ("sku", self.normalized_key(values)))
        return [(name, value) for name, value in keys if value is not None]

    def extra_columns(self) -> list[SQLColumnExpression[Any]]:
        fraction_used = stock.fraction_used(Part.__table__.c.id)
        return [Part.quantity_on_hand, Part.quantity_reserved, fraction_used.label("fraction_used")]

    def require_new(self, values: Values) -> None:
        super().require_new(values)
        self._require_whole(values.get("unit", Unit.EACH), values)

    def require_update(self, stored: Stored, values: Values, same_key: list[Stored]) -> None:
        if any(other.id != stored.id for other in same_key):
            raise RowError({"sku": "Another part has this SKU."})
        if values.get("quantity_on_hand", stored.quantity_on_hand) != stored.quantity_on_hand:
            units = stored.quantity_on_hand
            on_hand = "not tracked" if units is None else f"{to_number(units)} on hand"
            raise RowError({"quantity_on_hand": f"The part is {on_hand}; movements change that. Leave the cell empty."})
        unit = values.get("unit", stored.unit)
        self._require_whole(unit, {"reorder_point": values.get("reorder_point", stored.reorder_point)})
        kept = {"on_hand": stored.quantity_on_hand, "reserved": stored.quantity_reserved}
        if unit is not stored.unit and unit.is_whole and (stored.fraction_used or fractions(unit, kept)):
            raise RowError({"unit": "The stock, a ticket line or a canned job has a fraction of a unit of the part."})

    def _require_whole(self, unit: Unit, values: Values) -> None:
        """Raises `RowError` for fractions of a unit of which there are none."""
        quantities = {name: values.get(name) for name in ("quantity_on_hand", "reorder_point")}
        if messages := fractions(unit, quantities):
            raise RowError(messages)

    def insert_rows(self, actor: Identity, rows: list[Values]) -> None:
        columns = (*self.columns, "quantity_on_hand")
        inserted = db.session.execute(
            insert(Part).returning(Part.id, Part.quantity_on_hand),
            [{name: row.get(name, UNLESS_GIVEN.get(name)) for name in columns} for row in rows],
        )
        stock.record_opening_stock(actor, {part_id: quantity or NO_UNITS for part_id, quantity in inserted})


class CustomerImport(Import):
    """Imports customers, identified by e-mail. New ones are walk-ins."""

    model, key_column, stored_key_column, lock_id = Customer, "email", "email", 4_710_003
    columns = ("name", "email", "phone", "address")
    row_schema, new_schema, export_schema = CustomerRowSchema(), WalkInSchema(), CUSTOMER

    def unique_keys(self, values: Values) -> list[Key]:
        # Walk-ins may share an e-mail, so with an id only the id identifies the customer.
        name = "id" if "id" in values else "email"
        return [(name, values[name])] if name in values else []

    def extra_columns(self) -> list[SQLColumnExpression[Any]]:
        return [Customer.may_sign_in().label("may_sign_in")]

    def require_new(self, values: Values) -> None:
        super().require_new(values)
        self.new_schema.require_contact(values)

    def require_update(self, stored: Stored, values: Values, same_key: list[Stored]) -> None:
        if stored.may_sign_in and values.get("email", stored.email) != stored.email:
            raise RowError({"email": "They sign in with another e-mail, which is not changed by an import."})

    def after_update(self, row_ids: list[int]) -> None:
        outdate_customers(row_ids)


PARTS, CUSTOMERS = PartImport(), CustomerImport()


def import_rows(actor: Identity, kind: Import, data: bytes, *, dry_run: bool) -> dict[str, int]:
    """Import a file, or with `dry_run` only check it; return the numbers of rows `created, updated, unchanged`.

    Raises `InvalidInput` with the errors by row and column.
    """
    errors, first_rows = RowErrors(), FirstRows()
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as spool:
        for rows in batches(check(kind.row_schema, kind.export_schema.fields, data, errors)):
            _check_duplicates(kind, rows, first_rows, errors)
            pickle.dump(rows, spool)
        errors.raise_any()
        with atomic():
            advisory_lock(kind.lock_id)
            _lock(kind, first_rows)
            savepoint = db.session.begin_nested()
            counts = _write(actor, kind, spool, errors)
            errors.raise_any()
            if dry_run:
                savepoint.rollback()
    return counts


def _check_duplicates(kind: Import, rows: list[FileRow], first_rows: FirstRows, errors: RowErrors) -> None:
    """Add an error for each row with a key of an earlier row; add the keys of these rows to `first_rows`."""
    for row in rows:
        for key in kind.unique_keys(row.values):
            first = first_rows.setdefault(key, row.number)
            if first != row.number:
                errors.add(row.number, key[0], f"Row {first} has the same.")


def _lock(kind: Import, keys: Iterable[Key]) -> None:
    """Lock the stored rows with these keys, in order of id."""
    ids: set[int] = set()
    for some_keys in batches(keys):
        ids.update(db.session.scalars(select(kind.model.id).where(_has_key(kind, some_keys))))
    for some_ids in batches(sorted(ids)):
        rows = select(kind.model.id).where(kind.model.id.in_(some_ids)).order_by(kind.model.id)
        db.session.execute(rows.with_for_update(key_share=True))


def _has_key(kind: Import, keys: Collection[Key]) -> ColumnElement[bool]:
    """Return the criterion for stored rows, except deleted ones, that have one of these keys."""
    ids, values = ([value for name, value in keys if name == column] for column in ("id", kind.key_column))
    stored_key = getattr(kind.model, kind.stored_key_column)
    return and_(kind.model.not_deleted(), or_(kind.model.id.in_(ids), stored_key.in_(values)))


def _write(actor: Identity, kind: Import, spool: IO[bytes], errors: RowErrors) -> dict[str, int]:
    """Write the spooled rows as long as there are no errors; return the numbers of rows by outcome."""
    counts, matched = Counter(created=0, updated=0, unchanged=0), FirstRows()
    for rows in _read_batches(spool):
        created, updated = _compare(actor, kind, rows, matched, errors)
        if errors.is_full:
            break
        if errors.rows:
            continue  # write nothing more, but find the errors of the other rows
        if created:
            kind.insert_rows(actor, created)
        if updated:
            _update(kind, updated)
            kind.after_update([values["id"] for values in updated])
        counts.update(created=len(created), updated=len(updated), unchanged=len(rows) - len(created) - len(updated))
    return dict(counts)


def _read_batches(spool: IO[bytes]) -> Iterator[list[FileRow]]:
    spool.seek(0)
    try:
        while True:
            yield pickle.load(spool)  # noqa: S301  # this process wrote the file
    except EOFError:
        return


def _compare(
    actor: Identity, kind: Import, rows: list[FileRow], matched: FirstRows, errors: RowErrors
) -> tuple[list[Values], list[Values]]:
    """Return the values of new rows, and the complete values of stored rows that differ; add errors to `errors`."""
    stored_rows = StoredRows(kind, rows)
    created, updated, changes = [], [], []
    for number, values in rows:
        with errors.collect(number):
            stored = stored_rows.find(values)
            if stored is None:
                kind.require_new(values)
                created.append(values)
            else:
                _require_first_match(matched, stored.id, number)
                kind.require_update(stored, values, stored_rows.with_key_of(values))
                changed = _changed_values(kind, stored, values)
                changes += [(stored.id, stored._mapping, after) for after in changed]
                updated += changed
    audit_written(actor, kind.model, changes)
    return created, updated


class StoredRows:
    """The stored rows, locked, that rows of the file identify by id or key."""

    def __init__(self, kind: Import, rows: list[FileRow]) -> None:
        self.kind = kind
        keys: list[Key] = [("id", row.values["id"]) for row in rows if "id" in row.values]
        keys += [(kind.key_column, key) for row in rows if (key := kind.normalized_key(row.values)) is not None]
        columns = [getattr(kind.model, name) for name in ("id", *kind.columns)]
        stored_key = getattr(kind.model, kind.stored_key_column).label("stored_key")
        query = select(*columns, stored_key, *kind.extra_columns()).where(_has_key(kind, keys)).order_by(kind.model.id)
        self.by_id: dict[int, Stored] = {}
        self.by_key: dict[str, list[Stored]] = {}
        for stored in db.session.execute(query.with_for_update(key_share=True)):
            self.by_id[stored.id] = stored
            self.by_key.setdefault(stored.stored_key, []).append(stored)

    def with_key_of(self, values: Values) -> list[Stored]:
        """Return the stored rows that have the key of these values."""
        return self.by_key.get(self.kind.normalized_key(values) or "", [])

    def find(self, values: Values) -> Stored | None:
        """Return the stored row with the id of these values, or without an id the one with their key; None: new row.

        Raises `RowError` if there is no row with the id, or more than one with the key.
        """
        if "id" in values:
            if values["id"] not in self.by_id:
                raise RowError({"id": f"There is no {self.kind.model.noun} {values['id']}."})
            return self.by_id[values["id"]]
        same_key = self.with_key_of(values)
        if len(same_key) > 1:
            noun = self.kind.model.noun
            raise RowError({self.kind.key_column: f"More than one {noun} has this; say by its id which is meant."})
        return same_key[0] if same_key else None


def _require_first_match(matched: FirstRows, row_id: int, number: int) -> None:
    """Raises `RowError` if an earlier row of the file matched the same stored row."""
    first = matched.setdefault(("id", row_id), number)
    if first != number:
        raise RowError({"id": f"Row {first} means the same."})


def _changed_values(kind: Import, stored: Stored, values: Values) -> list[Values]:
    """Return the complete new values of a stored row, in a list that is empty if nothing changes.

    A row that was found by its key keeps the stored spelling of the key.
    """
    before = {name: getattr(stored, name) for name in kind.columns}
    written = before.keys() if "id" in values else before.keys() - {kind.key_column}
    after = before | {name: value for name, value in values.items() if name in written}
    return [{"id": stored.id, **after}] if after != before else []


def _update(kind: Import, rows: list[Values]) -> None:
    """Write the complete values of stored rows; complete, so that one statement serves many rows."""
    # An INSERT that conflicts on every row: on both databases, only this updates many rows to values of their own in
    # one statement.
    new = INSERT[db.session.get_bind().dialect.name](kind.model)
    changes = {name: getattr(new.excluded, name) for name in (*kind.columns, *folded_columns(inspect(kind.model)))}
    statement = new.on_conflict_do_update(
        index_elements=[kind.model.id], set_={**changes, "version": kind.model.version + 1}
    )
    db.session.execute(statement, rows)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of `ROWS_AT_ONCE`."""
    remaining = iter(items)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield batch
