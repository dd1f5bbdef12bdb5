"""Customers' vehicles."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Row, Versioned, search_index
from app.core.database.types import UtcDateTime
from app.models.types import PlateNumber, VinNumber
from app.problems import OdometerBackwards

# The largest reading of an odometer.
MAX_MILES = 9_999_999
IN_USE = text("archived_at IS NULL")


def require_forwards(before: int | None, after: int | None, *, override: bool) -> None:
    """Raises `OdometerBackwards` where the later of two readings is less, unless overridden; it tells the earlier."""
    if before is not None and after is not None and after < before and not override:
        raise OdometerBackwards(f"The last reading was {before}; send override to set a lower one.", odometer=before)


class Vehicle(Versioned, Row):
    """A vehicle of one customer; sold, it is handed over to another."""

    __tablename__ = "vehicles"
    __table_args__ = (
        CheckConstraint("odometer >= 0", name="odometer_not_negative"),
        # The same car may, by mistake or after a sale, stand with two customers, but not twice with one.
        Index(
            "uq_vehicles_customer_vin", "customer_id", "vin", unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE
        ),
        Index("ix_vehicles_vin", "vin"),
        Index("ix_vehicles_plate", "plate"),
        search_index("vehicles", "vin"),
        search_index("vehicles", "plate"),
    )
    noun = "vehicle"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), doc="The owner.")
    vin: Mapped[str | None] = mapped_column(VinNumber, doc="Vehicle identification number, 17 characters.")
    plate: Mapped[str | None] = mapped_column(PlateNumber, doc="License plate, kept without spaces and in capitals.")
    plate_state: Mapped[str | None] = mapped_column(String(20), doc="Where the plate is from.")
    make: Mapped[str | None] = mapped_column(String(60), doc="Filled in from the VIN where it tells it.")
    model: Mapped[str | None] = mapped_column(String(60))
    year: Mapped[int | None] = mapped_column(doc="Model year; filled in from the VIN where it tells it.")
    odometer: Mapped[int | None] = mapped_column(doc="The last reading: entered, or of the newest ticket with one.")
    # The last reading that came with no ticket: what is left where that of a ticket turns out to be another car's.
    odometer_entered: Mapped[int | None] = mapped_column()
    notes: Mapped[str | None] = mapped_column(String(2000))
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        return cls.archived_at.is_(None)

    def read_odometer(self, reading: int | None, *, override: bool = False) -> None:
        """Take the reading of the newest ticket. Raises `OdometerBackwards` where it is less than the last."""
        if reading is None:
            return
        require_forwards(self.odometer, reading, override=override)
        self.odometer = reading

    def enter_odometer(self, reading: int, *, override: bool = False) -> None:
        """Take a reading that comes with no ticket. Raises as `read_odometer`."""
        self.read_odometer(reading, override=override)
        self.odometer_entered = reading

    def drop_reading(self, reading: int, of_others: int | None) -> None:
        """Forget the reading of a ticket that was another car's, and go back to what its newest other ticket says."""
        if self.odometer == reading:
            self.odometer = max((one for one in (of_others, self.odometer_entered) if one is not None), default=None)

    def forget_owner(self) -> None:
        """Take away what leads from the car to the person."""
        self.vin = self.plate = self.plate_state = self.notes = None
