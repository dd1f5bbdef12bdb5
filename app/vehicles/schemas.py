"""Input and output schemas of vehicles."""

from app.core.fields import Flag, Id, Remarks, WholeNumber
from app.core.fields.schemas import Changes, ModelInput, ModelOutput
from app.models import MAX_MILES, Vehicle

FIRST_YEAR, LAST_YEAR = 1886, 2100
COLUMNS = ("vin", "plate", "plate_state", "make", "model", "year", "odometer", "notes")


class VehicleSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "customer_id", *COLUMNS, "version")


class CheckedVehicleSchema(VehicleSchema):
    """A vehicle that was just written, with the warnings about its VIN."""

    warnings = Remarks(metadata={"description": "What is odd about the VIN."})

    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "customer_id", *COLUMNS, "version", "warnings")


class VehicleInput(ModelInput):
    year = WholeNumber(least=FIRST_YEAR, most=LAST_YEAR, allow_none=True)
    odometer = WholeNumber(most=MAX_MILES, metadata={"description": "The reading."})

    class Meta(ModelInput.Meta):
        model = Vehicle
        fields = COLUMNS


class NewVehicleSchema(VehicleInput):
    json_schema = {
        "examples": [
            {
                "vin": "2HGFC2F57GH512345",
                "plate": "7KDM209",
                "plate_state": "CA",
                "model": "Civic",
                "odometer": 98400,
            }
        ]
    }


class VehicleChangesSchema(Changes, VehicleInput):
    customer_id = Id(metadata={"description": "The new owner: hands a sold car over. For advisors and admins."})
    override = Flag(metadata={"description": "true: the odometer may go backwards. For staff."})

    json_schema = {"examples": [{"odometer": 185310}]}

    class Meta(ModelInput.Meta):
        model = Vehicle
        fields = (*COLUMNS, "customer_id", "override")


VEHICLE = VehicleSchema()
CHECKED = CheckedVehicleSchema()
