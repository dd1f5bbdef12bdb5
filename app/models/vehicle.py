"""Customers' vehicles."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Row, Versioned, folded, readonly_relationship, search_index
from app.core.database.types import UtcDateTime
from app.models.customer import Customer
from app.models.types import PlateNumber, VinNumber
from app.problems import OdometerBackwards
from app.rules.vin import vehicle_text

# The largest odometer reading, in miles.
MAX_MILES = 9_999_999
IN_USE = text("archived_at IS NULL")


def require_forwards(before: int | None, after: int | None, *, override: bool) -> None:
    """Raises `OdometerBackwards` with the earlier reading if the later one is less, unless overridden."""
    if before is not None and after is not None and after < before and not override:
        raise OdometerBackwards(f"The last reading was {before}; send override to set a lower one.", odometer=before)


class Vehicle(Versioned, Row):
    """A vehicle of one customer. A sold vehicle is handed over to another customer."""

    __tablename__ = "vehicles"
    __table_args__ = (
        CheckConstraint("odometer >= 0", name="odometer_not_negative"),
        # Two customers may have the same vehicle, by mistake or after a sale; one customer may not have it twice.
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
    # The last reading that came without a ticket; the fallback if a ticket's reading belongs to another vehicle.
    odometer_entered: Mapped[int | None] = mapped_column()
    notes: Mapped[str | None] = mapped_column(String(2000))
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Its plate and the end of its VIN, for the search of its tickets.
    search_text: Mapped[str] = folded(vehicle_text, "plate", "vin", server_default="", nullable=False)

    customer: Mapped[Customer] = readonly_relationship()

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        return cls.archived_at.is_(None)

    def read_odometer(self, reading: int | None, *, override: bool = False) -> None:
        """Set the odometer to the newest ticket's reading. Raises `OdometerBackwards` if it is less than the last."""
        if reading is None:
            return
        require_forwards(self.odometer, reading, override=override)
        self.odometer = reading

    def enter_odometer(self, reading: int, *, override: bool = False) -> None:
        """Set the odometer to a reading without a ticket. Raises what `read_odometer` raises."""
        self.read_odometer(reading, override=override)
        self.odometer_entered = reading

    def drop_reading(self, reading: int, of_others: int | None) -> None:
        """Undo the reading of a ticket that belongs to another vehicle: go back to the larger of the reading of the
        newest other ticket (`of_others`) and the last one without a ticket.
        """
        if self.odometer == reading:
            readings = (of_others, self.odometer_entered)
            self.odometer = max((each for each in readings if each is not None), default=None)

    def forget_owner(self) -> None:
        """Erase the data that identifies the owner through the vehicle."""
        self.vin = self.plate = self.plate_state = self.notes = None
