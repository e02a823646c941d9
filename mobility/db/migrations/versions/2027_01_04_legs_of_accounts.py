"""
The index by which legs are forgotten is of no use to queries for the legs of accounts.

While a new table has no statistics the planner took it for them, and read the legs of everybody.
"""

from alembic import op

revision = "2027_01_04_legs_of_accounts"
down_revision = "2027_01_03_rides_are_forgotten"


def upgrade() -> None:
    op.drop_index("fare_leg_by_age", "fare_leg")
    op.execute(
        "create index fare_leg_to_forget on fare_leg (timezone('UTC', board_at)) "
        "where account_id is not null"
    )
