"""Importing a CSV file: checked as a whole, then written as a whole.

First every row is checked by itself, without a transaction; good rows wait in a temporary file, so that many take no
more memory than few. Then they are compared with what is stored, and written, in some statements for each thousand. An
empty cell leaves a field as it is, and is null in a new row.
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
from app.core.fields.schemas import ModelInput, ModelOutput
from app.customers.schemas import CUSTOMER, WalkInSchema
from app.extensions import db
from app.inventory import stock
from app.inventory.schemas import CATALOGUE, PART, NewPartSchema
from app.models import Customer, Part
from app.rules.sku import sku_key
from app.spreadsheets.checking import Fault, Faults, Line, check
from app.spreadsheets.schemas import CustomerRowSchema, PartRowSchema

ROWS_AT_ONCE = 1000
IN_MEMORY_BYTES = 1_000_000
INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

# What is stored: the id and the columns of a row.
Stored = Any
Values = dict[str, Any]
# By what a row is found, such as ("sku", "BRK-PAD-R"); and in which row of the file each stands first.
Mark = tuple[str, Any]
Seen = dict[Mark, int]
T = TypeVar("T")


class Import:
    """How rows of a model are imported: what they are, by what they are found again, what is demanded of them."""

    model: ClassVar[type[Part | Customer]]
    key: ClassVar[str]
    # The column that holds what keys are compared by.
    compared: ClassVar[str]
    # The columns that are compared and written.
    columns: ClassVar[tuple[str, ...]]
    # Transactions that import the same wait for one another under this number.
    lock_id: ClassVar[int]
    row: ClassVar[ModelInput]
    new: ClassVar[ModelInput]
    exported: ClassVar[ModelOutput]

    def key_of(self, values: Values) -> Any:
        """What the key of these values is compared by; None where they have none."""
        return values.get(self.key)

    def marks(self, values: Values) -> list[Mark]:
        """What no other row of the file may have."""
        raise NotImplementedError

    def facts(self) -> list[SQLColumnExpression[Any]]:
        """What else of a stored row `require_change` looks at."""
        return []

    def require_new(self, values: Values) -> None:
        """Raises `Fault` where a new row cannot be like this."""
        missing = [name for name, field in self.new.fields.items() if field.required and name not in values]
        if missing:
            raise Fault(dict.fromkeys(missing, f"Missing in a new {self.model.noun}."))

    def require_change(self, stored: Stored, values: Values, alike: list[Stored]) -> None:
        """Raises `Fault` where a stored row cannot become like this; `alike` has the key of the values."""

    def enter(self, actor: Identity, rows: list[Values]) -> None:
        """Write rows that are new."""
        db.session.execute(insert(self.model), [{name: row.get(name) for name in self.columns} for row in rows])


class PartImport(Import):
    """Parts, by their SKU. The opening stock of new ones goes through the ledger; others' stock is not imported."""

    model, key, compared, columns, lock_id = Part, "sku", "sku_key", CATALOGUE, 4_710_002
    row, new, exported = PartRowSchema(), NewPartSchema(), PART

    def key_of(self, values: Values) -> Any:
        return sku_key(values.get("sku"))

    def marks(self, values: Values) -> list[Mark]:
        return [mark for mark in (("id", values.get("id")), ("sku", self.key_of(values))) if mark[1] is not None]

    def facts(self) -> list[SQLColumnExpression[Any]]:
        return [Part.quantity_on_hand]

    def require_change(self, stored: Stored, values: Values, alike: list[Stored]) -> None:
        if any(other.id != stored.id for other in alike):
            raise Fault({"sku": "Another part has this SKU."})
        if values.get("quantity_on_hand", stored.quantity_on_hand) != stored.quantity_on_hand:
            on_hand = "not tracked" if stored.quantity_on_hand is None else f"{stored.quantity_on_hand} on hand"
            raise Fault({"quantity_on_hand": f"The part is {on_hand}; movements change that. Leave the cell empty."})

    def enter(self, actor: Identity, rows: list[Values]) -> None:
        columns = (*self.columns, "quantity_on_hand")
        entered = db.session.execute(
            insert(Part).returning(Part.id, Part.quantity_on_hand),
            [{name: row.get(name) for name in columns} for row in rows],
        )
        stock.record_opening_stock(actor, {part_id: quantity or 0 for part_id, quantity in entered})


class CustomerImport(Import):
    """Customers, by their e-mail. New ones are walk-ins."""

    model, key, compared, lock_id = Customer, "email", "email", 4_710_003
    columns = ("name", "email", "phone", "address")
    row, new, exported = CustomerRowSchema(), WalkInSchema(), CUSTOMER

    def marks(self, values: Values) -> list[Mark]:
        # Couples share an e-mail: then only the id tells who is meant.
        name = "id" if "id" in values else "email"
        return [(name, values[name])] if name in values else []

    def facts(self) -> list[SQLColumnExpression[Any]]:
        return [Customer.may_sign_in().label("may_sign_in")]

    def require_new(self, values: Values) -> None:
        super().require_new(values)
        self.new.require_contact(values)

    def require_change(self, stored: Stored, values: Values, alike: list[Stored]) -> None:
        if stored.may_sign_in and values.get("email", stored.email) != stored.email:
            raise Fault({"email": "They sign in with another e-mail, which is not changed by an import."})


PARTS, CUSTOMERS = PartImport(), CustomerImport()


def bring_in(actor: Identity, kind: Import, data: bytes, *, dry_run: bool) -> dict[str, int]:
    """Import a file, or with `dry_run` only find out what that would do; returns how many rows it does what to.

    Raises `InvalidInput` that tells what is wrong in which row and column.
    """
    faults, seen = Faults(), Seen()
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as waiting:
        for lines in batches(check(kind.row, kind.exported.fields, data, faults)):
            _refuse_repeated(kind, lines, seen, faults)
            pickle.dump(lines, waiting)
        faults.refuse()
        with atomic():
            advisory_lock(kind.lock_id)
            _lock(kind, seen)
            rehearsal = db.session.begin_nested()
            counts = _write(actor, kind, waiting, faults)
            faults.refuse()
            if dry_run:
                rehearsal.rollback()
    return counts


def _refuse_repeated(kind: Import, lines: list[Line], seen: Seen, faults: Faults) -> None:
    """Note in `faults` the rows that mean what another one means already, and in `seen` what these mean."""
    for line in lines:
        for mark in kind.marks(line.values):
            first = seen.setdefault(mark, line.number)
            if first != line.number:
                faults.add(line.number, mark[0], f"Row {first} has the same.")


def _lock(kind: Import, seen: Seen) -> None:
    """Lock every stored row that is meant, in the one order of all."""
    ids: set[int] = set()
    for marks in batches(seen):
        ids.update(db.session.scalars(select(kind.model.id).where(_meant(kind, marks))))
    for some in batches(sorted(ids)):
        rows = select(kind.model.id).where(kind.model.id.in_(some)).order_by(kind.model.id)
        db.session.execute(rows.with_for_update(key_share=True))


def _meant(kind: Import, marks: Collection[Mark]) -> ColumnElement[bool]:
    """The present rows that have one of these ids or keys."""
    ids, keys = ([value for name, value in marks if name == wanted] for wanted in ("id", kind.key))
    return and_(kind.model.not_deleted(), or_(kind.model.id.in_(ids), getattr(kind.model, kind.compared).in_(keys)))


def _write(actor: Identity, kind: Import, waiting: IO[bytes], faults: Faults) -> dict[str, int]:
    """Write the rows that wait, as far as there are no faults; returns how many it does what to."""
    counts, taken = Counter(created=0, updated=0, unchanged=0), Seen()
    for lines in _waiting(waiting):
        created, updated = _compare(actor, kind, lines, taken, faults)
        if faults.are_many:
            break
        if faults.rows:
            continue  # the others' faults are told too
        if created:
            kind.enter(actor, created)
        if updated:
            _update(kind, updated)
        counts.update(created=len(created), updated=len(updated), unchanged=len(lines) - len(created) - len(updated))
    return dict(counts)


def _waiting(file: IO[bytes]) -> Iterator[list[Line]]:
    file.seek(0)
    try:
        while True:
            yield pickle.load(file)  # noqa: S301  # what this process wrote itself
    except EOFError:
        return


def _compare(
    actor: Identity, kind: Import, lines: list[Line], taken: Seen, faults: Faults
) -> tuple[list[Values], list[Values]]:
    """The values of the rows that are new, and all values of those that are stored and differ; notes `faults`."""
    shelf = Shelf(kind, lines)
    created, updated, changes = [], [], []
    for number, values in lines:
        with faults.of_row(number):
            stored = shelf.find(values)
            if stored is None:
                kind.require_new(values)
                created.append(values)
            else:
                _require_first(taken, stored.id, number)
                kind.require_change(stored, values, shelf.alike(values))
                changed = _changed(kind, stored, values)
                changes += [(stored.id, stored._mapping, after) for after in changed]
                updated += changed
    audit_written(actor, kind.model, changes)
    return created, updated


class Shelf:
    """The stored rows that some rows of the file may mean, locked."""

    def __init__(self, kind: Import, lines: list[Line]) -> None:
        self.kind = kind
        marks: list[Mark] = [("id", line.values["id"]) for line in lines if "id" in line.values]
        marks += [(kind.key, key) for line in lines if (key := kind.key_of(line.values)) is not None]
        columns = [getattr(kind.model, name) for name in ("id", *kind.columns)]
        key = getattr(kind.model, kind.compared).label("compared")
        rows = select(*columns, key, *kind.facts()).where(_meant(kind, marks)).order_by(kind.model.id)
        self.by_id: dict[int, Stored] = {}
        self.by_key: dict[str, list[Stored]] = {}
        for stored in db.session.execute(rows.with_for_update(key_share=True)):
            self.by_id[stored.id] = stored
            self.by_key.setdefault(stored.compared, []).append(stored)

    def alike(self, values: Values) -> list[Stored]:
        """Those that have the key of these values."""
        return self.by_key.get(self.kind.key_of(values) or "", [])

    def find(self, values: Values) -> Stored | None:
        """The one that is meant: that of the id where there is one, else of the key. Raises `Fault`."""
        if "id" in values:
            if values["id"] not in self.by_id:
                raise Fault({"id": f"There is no {self.kind.model.noun} {values['id']}."})
            return self.by_id[values["id"]]
        alike = self.alike(values)
        if len(alike) > 1:
            noun = self.kind.model.noun
            raise Fault({self.kind.key: f"More than one {noun} has this; say by its id which is meant."})
        return alike[0] if alike else None


def _require_first(taken: Seen, row_id: int, number: int) -> None:
    first = taken.setdefault(("id", row_id), number)
    if first != number:
        raise Fault({"id": f"Row {first} means the same."})


def _changed(kind: Import, stored: Stored, values: Values) -> list[Values]:
    """All values of a stored row as they are to be, in a list that is empty where nothing changes.

    What was found by its key keeps the key as it is spelt there.
    """
    before = {name: getattr(stored, name) for name in kind.columns}
    written = before.keys() if "id" in values else before.keys() - {kind.key}
    after = before | {name: value for name, value in values.items() if name in written}
    return [{"id": stored.id, **after}] if after != before else []


def _update(kind: Import, rows: list[Values]) -> None:
    """Write all values of rows that are stored; they are given whole, so that one statement serves many."""
    # As an INSERT that finds each of them there: only so one statement takes many rows, with their values, on both.
    new = INSERT[db.session.get_bind().dialect.name](kind.model)
    changes = {name: getattr(new.excluded, name) for name in (*kind.columns, *folded_columns(inspect(kind.model)))}
    statement = new.on_conflict_do_update(
        index_elements=[kind.model.id], set_={**changes, "version": kind.model.version + 1}
    )
    db.session.execute(statement, rows)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of a thousand."""
    remaining = iter(items)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield batch
