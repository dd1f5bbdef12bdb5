"""Customers' vehicles."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Row, Versioned, search_index
from app.models.types import PlateNumber, UtcDateTime, VinNumber
from app.problems import OdometerBackwards

# The largest reading of an odometer.
MOST_MILES = 9_999_999
IN_USE = text("archived_at IS NULL")


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
    odometer: Mapped[int | None] = mapped_column(doc="The last reading.")
    notes: Mapped[str | None] = mapped_column(String(2000))
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @classmethod
    def present(cls) -> ColumnElement[bool]:
        return cls.archived_at.is_(None)

    def read_odometer(self, reading: int | None, *, override: bool = False) -> None:
        """Take a new reading. Raises `OdometerBackwards` where it is less than the last, unless overridden."""
        if reading is None:
            return
        if self.odometer is not None and reading < self.odometer and not override:
            raise OdometerBackwards(
                f"The last reading was {self.odometer}; send override to set a lower one.", odometer=self.odometer
            )
        self.odometer = reading

    def forget_owner(self) -> None:
        """Take away what leads from the car to the person."""
        self.vin = self.plate = self.plate_state = self.notes = None
