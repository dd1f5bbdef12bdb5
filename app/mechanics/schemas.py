"""Input and output schemas of mechanics."""

from app.accounts.access import Views
from app.accounts.schemas import CredentialsSchema
from app.core.fields import Password, QueryFlag, Search, WholeNumber
from app.core.fields.schemas import Changes, ListQuery, ModelInput, ModelOutput
from app.core.text.search import patterns
from app.mechanics.filters import MECHANICS
from app.models import Mechanic


class MechanicSchema(ModelOutput):
    open_tickets = WholeNumber(metadata={"description": "Tickets to work on: assigned, and open or in progress."})

    class Meta(ModelOutput.Meta):
        model = Mechanic
        fields = ("id", "name", "email", "phone", "role", "specialty", "active", "open_tickets", "version")


class MechanicNameSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Mechanic
        fields = ("id", "name")


class NewMechanicSchema(ModelInput):
    password = Password(metadata={"description": "Left out: they choose it themselves, through an invite."})

    json_schema = {
        "examples": [
            {
                "name": "Rosa Delgado",
                "email": "rosa.delgado@example.com",
                "password": "torque wrench 90 Nm",
                "phone": "(212) 555-0142",
                "role": "mechanic",
                "specialty": "Brakes",
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = Mechanic
        fields = ("name", "email", "password", "phone", "role", "specialty")


class MechanicChangesSchema(Changes, ModelInput):
    password = Password()
    current_password = Password(
        new=False, metadata={"description": "The present password; needed to change one's own password or e-mail."}
    )

    json_schema = {"examples": [{"specialty": "Brakes and suspension"}]}

    class Meta(ModelInput.Meta):
        model = Mechanic
        fields = ("name", "email", "phone", "specialty", "password", "current_password", "role", "active")


class MechanicCredentialsSchema(CredentialsSchema):
    json_schema = {"examples": [{"email": "mechanic@example.com", "password": "wrench-and-socket"}]}


class MechanicQuerySchema(ListQuery):
    q = Search(patterns, description="Words of the name.")
    active = QueryFlag(load_default=True, metadata={"description": "false: the deactivated ones instead."})
    sort = MECHANICS.sort_field()


# Customers see names, and filter and sort by nothing else.
CUSTOMER_FILTERS, CUSTOMER_SORTS = frozenset({"q"}), frozenset({"id", "-id", "name", "-name"})
MECHANIC = MechanicSchema()
VIEWS = Views(staff=MECHANIC, customer=MechanicNameSchema())
