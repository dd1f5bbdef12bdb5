"""What both FastAPI apps are sent: a token, of which they check the signature, and bodies."""

import os
from decimal import Decimal
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

bearer = HTTPBearer()


class NewTicket(BaseModel):
    customer_id: int
    vehicle_id: int
    odometer: int
    description: str


class Quantity(BaseModel):
    quantity: Decimal = Decimal(1)


class Credentials(BaseModel):
    email: str
    password: str


async def get_user_id(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> int:
    try:
        claims = jwt.decode(
            credentials.credentials, os.environ["SECRET_KEY"], algorithms=["HS256"], audience="mechanic-shop-api"
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return int(claims["sub"].partition(":")[2])


UserId = Annotated[int, Depends(get_user_id)]
