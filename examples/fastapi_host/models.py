"""The application's own table; it lives in the database of the ticker store and knows nothing of it."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables of the example share."""


class Order(Base):
    """Something a customer wants."""

    __tablename__ = "orders"
    __table_args__ = (CheckConstraint("amount > 0", name="ck_orders_amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(100))
    amount: Mapped[int]
    confirmations: Mapped[int] = mapped_column(default=0)
