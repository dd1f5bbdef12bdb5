"""The roles of staff, and which of them run the front desk."""

import enum


class Role(enum.Enum):
    """The role of a member of staff, which decides what they may do."""

    MECHANIC = "mechanic"
    ADVISOR = "advisor"
    ADMIN = "admin"


FRONT_DESK = frozenset({Role.ADVISOR, Role.ADMIN})
EVERYONE = frozenset(Role)
