"""Tables, but for those of fares; the migrations under `migrations/versions` create them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("territory_id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("epoch", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("quote_key", sa.LargeBinary, nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("alias", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("is_woman", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("verified_at", sa.DateTime(timezone=True)),
)

community = sa.Table(
    "community",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

community_member = sa.Table(
    "community_member",
    metadata,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True),
    sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
)

person_block = sa.Table(
    "person_block",
    metadata,
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("other_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

point_report = sa.Table(
    "point_report",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("point_id", sa.Text, nullable=False),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
)

point_suspension = sa.Table(
    "point_suspension",
    metadata,
    sa.Column("point_id", sa.Text, primary_key=True),
    sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("confirmed_at", sa.DateTime(timezone=True)),
)

offer = sa.Table(
    "offer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("entered", pg.JSONB(none_as_null=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

person_place = sa.Table(
    "person_place",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("moved_lat", sa.Double, nullable=False),
    sa.Column("moved_lon", sa.Double, nullable=False),
)

compiled_offer = sa.Table(
    "compiled_offer",
    metadata,
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), primary_key=True),
    sa.Column("offer_version", sa.Integer, primary_key=True),
    sa.Column("ground_hash", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

change = sa.Table(
    "change",
    metadata,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

elevator_outage = sa.Table(
    "elevator_outage",
    metadata,
    sa.Column("elevator_id", sa.Text, primary_key=True),
    sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
)

user = sa.Table(
    "user",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
    sa.Column("email", sa.Text, unique=True),
    sa.Column("password_hash", sa.Text),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor_id", sa.Uuid),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", pg.JSONB, nullable=False),
)

answered = sa.Table(
    "answered",
    metadata,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("asked", sa.LargeBinary, nullable=False),
    sa.Column("answer", pg.JSONB),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

identity = sa.Table(
    "identity",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False, index=True),
)

sign_in_begun = sa.Table(
    "sign_in_begun",
    metadata,
    sa.Column("state_digest", sa.LargeBinary, primary_key=True),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

ride = sa.Table(
    "ride",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False),
    sa.Column("date", sa.Date, nullable=False, index=True),
    sa.Column("offer_version", sa.Integer, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("late_s", sa.Integer, nullable=False, server_default="0"),
    sa.Column("plan", pg.JSONB, nullable=False),
    sa.Column("said_late_s", sa.Integer, nullable=False, server_default="0"),
    sa.Column("said_at", sa.DateTime(timezone=True)),
    sa.Column("seen_late_s", sa.Integer),
    sa.Column("seen_at", sa.DateTime(timezone=True)),
    sa.Column("vias_reached", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("asked", sa.SmallInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("offer_id", "date"),
)

booking = sa.Table(
    "booking",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("ride_id", sa.Uuid, sa.ForeignKey("ride.id"), nullable=False, index=True),
    sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("together_id", sa.Uuid, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("pickup_point", sa.Text, nullable=False),
    sa.Column("dropoff_point", sa.Text, nullable=False),
    sa.Column("pickup_from", sa.DateTime(timezone=True), nullable=False),
    sa.Column("pickup_to", sa.DateTime(timezone=True), nullable=False),
    sa.Column("dropoff_by", sa.DateTime(timezone=True), nullable=False),
    sa.Column("price_cents", sa.Integer),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("until", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("needs", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("quoted_late_s", sa.Integer, nullable=False, server_default="0"),
    sa.Column("told_late_s", sa.Integer, nullable=False, server_default="0"),
    sa.Column("pickup_door", pg.JSONB(none_as_null=True)),
    sa.Column("dropoff_door", pg.JSONB(none_as_null=True)),
)

journey = sa.Table(
    "journey",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("ends", pg.JSONB, nullable=False),
    sa.Column("fallbacks", pg.JSONB(none_as_null=True)),
)

assisted = sa.Table(
    "assisted",
    metadata,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("telephone", sa.Text, nullable=False, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("claim_digest", sa.LargeBinary, unique=True),
    sa.Column("claim_until", sa.DateTime(timezone=True)),
)

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("ends", pg.JSONB(none_as_null=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)

series_date = sa.Table(
    "series_date",
    metadata,
    sa.Column("series_id", sa.Uuid, sa.ForeignKey("series.id"), primary_key=True),
    sa.Column("date", sa.Date, primary_key=True),
    sa.Column("way", sa.Text, primary_key=True),
    sa.Column("together_id", sa.Uuid, unique=True),
    sa.Column("reason", sa.Text),
)

rating = sa.Table(
    "rating",
    metadata,
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), primary_key=True),
    sa.Column("by", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("stars", sa.SmallInteger, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("stars between 1 and 5", name="stars_in_range"),
)

past_stars = sa.Table(
    "past_stars",
    metadata,
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("stars", sa.BigInteger, nullable=False),
    sa.Column("rating_count", sa.BigInteger, nullable=False),
)

past_seats = sa.Table(
    "past_seats",
    metadata,
    sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("date", sa.Date, primary_key=True, index=True),
    sa.Column("ran_count", sa.Integer, nullable=False),
    sa.Column("broken_count", sa.Integer, nullable=False),
)

engagement = sa.Table(
    "engagement",
    metadata,
    sa.Column("ride_id", sa.Uuid, sa.ForeignKey("ride.id"), primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("during", pg.TSTZRANGE, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("billed_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("booking_id", "kind"),
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("read_at", sa.DateTime(timezone=True)),
)

wish = sa.Table(
    "wish",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("valid_to", sa.Date, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("shared", pg.JSONB(none_as_null=True)),
)

wish_match = sa.Table(
    "wish_match",
    metadata,
    sa.Column("wish_id", sa.Uuid, sa.ForeignKey("wish.id"), primary_key=True),
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), primary_key=True),
    sa.Column("direction", sa.Text, primary_key=True),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("wish_id", sa.Uuid, sa.ForeignKey("wish.id"), nullable=False),
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False, index=True),
    sa.Column("back_offer_id", sa.Uuid, sa.ForeignKey("offer.id"), index=True),
    sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
)

declined_pair = sa.Table(
    "declined_pair",
    metadata,
    sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
)

follower = sa.Table(
    "follower",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

partner_person = sa.Table(
    "partner_person",
    metadata,
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("operator", sa.Text, primary_key=True),
    sa.Column("outside_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
)

partner_booking = sa.Table(
    "partner_booking",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False),
    sa.Column("outside_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("status", sa.Text),
    sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), unique=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("owner_id", "outside_id"),
)

partner = sa.Table(
    "partner",
    metadata,
    sa.Column("operator", sa.Text, primary_key=True),
    sa.Column("url", sa.Text),
    sa.Column("events_url", sa.Text),
    sa.Column("api_key", sa.Text),
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), unique=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
    sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last", pg.JSONB(none_as_null=True)),
)

outside_offer = sa.Table(
    "outside_offer",
    metadata,
    sa.Column("operator", sa.Text, sa.ForeignKey("partner.operator"), primary_key=True),
    sa.Column("outside_id", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False, unique=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)

partner_event = sa.Table(
    "partner_event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("partner_booking_id", sa.Uuid, sa.ForeignKey("partner_booking.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("outcome", sa.Text),
    sa.UniqueConstraint("partner_booking_id", "status"),
)
