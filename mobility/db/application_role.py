"""
The role under which the application works: it adds to what is insert-only, and changes none of it.

Roles belong to a server and dumps hold none, so that no migration makes this one: whoever brings
the schema up to date also settles the rights, and repairs them after a restore. The role is named
after the user who owns the tables. It cannot log in: connections enter it as they are made
(`mobility.db.engine.ordinary_engine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

INSERT_ONLY = ("audit", "ledger_day", "ledger_period", "posting", "statement")
"""Tables that the application reads and adds to; a trigger on each refuses the rest again."""
NAME_LIMIT = 50
"""Characters of a user's name that the role is named after; PostgreSQL cuts names at 63."""
HARMLESS = "nologin nosuperuser nocreaterole nocreatedb nobypassrls"

_NAME = sa.func.left(sa.literal_column("session_user"), NAME_LIMIT).concat("_app")
_HARMLESS = sa.text("""
select r.rolname from pg_roles r where r.rolname = :name
    and not (r.rolcanlogin or r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls)
    and pg_has_role(session_user, r.oid, 'set') and not pg_has_role(r.oid, current_user, 'member')
""")
_MAY_MAKE_ROLES = sa.text("""
select rolsuper or rolcreaterole from pg_roles where rolname = current_user
""")
_OWN = sa.text("""
select relname, relkind = 'S' as is_sequence from pg_class
where relnamespace = current_schema::regnamespace and relkind in ('r', 'p', 'S')
    and pg_has_role(relowner, 'usage')
order by relname
""")
_UNSETTLED = sa.text("""
select exists (
    select from pg_class c where relnamespace = current_schema::regnamespace
        and relkind in ('r', 'p') and pg_has_role(relowner, 'usage') and (
            not has_table_privilege(:role, c.oid, 'select')
            or not has_table_privilege(:role, c.oid, 'insert')
            or has_any_column_privilege(:role, c.oid, 'update') = (relname = any(:insert_only))
            or has_table_privilege(:role, c.oid, 'delete') = (relname = any(:insert_only))
            or has_table_privilege(:role, c.oid, 'truncate, trigger')
        )
) or not has_schema_privilege(:role, current_schema, 'usage')
""")
_CHANGEABLE = sa.text("""
select relname from pg_class c
where relnamespace = current_schema::regnamespace and relname = any(:insert_only) and (
    pg_has_role(relowner, 'usage') or has_any_column_privilege(c.oid, 'update')
    or has_table_privilege(c.oid, 'delete, truncate, trigger')
)
order by relname
""")


def find_settled_role(connection: sa.Connection) -> str | None:
    """Role that can be entered and has its rights on this database, none more and none less."""
    role = _find_role(connection)
    return role if role is not None and _is_settled(connection, role) else None


def settle_rights(connection: sa.Connection) -> None:
    """
    Make the role and give it its rights, as the owner of the tables; nothing where all is done.

    A server that does not allow it is no error: triggers go on refusing, and the doctor says so.
    """
    role = _find_role(connection)
    if role is None and connection.execute(_MAY_MAKE_ROLES).scalar():
        name, user = _quoted(connection, [role_name(connection), _user(connection)])
        _try(
            connection,
            f"create role {name} nologin",
            f"grant {name} to {user} with inherit false, set true",
        )
        role = _find_role(connection)  # or somebody has made it in another database meanwhile
    if role is not None and not _is_settled(connection, role):
        _try(connection, *_grants(connection, role))


def list_changeable(connection: sa.Connection) -> list[str]:
    """Insert-only tables that nothing but a trigger keeps this connection from changing."""
    found = connection.execute(_CHANGEABLE, {"insert_only": list(INSERT_ONLY)}).scalars()
    return list(found)


def advise(connection: sa.Connection) -> str:
    """Tell what lets the application work under its role, where it does not."""
    found = _find_role(connection)
    if found is not None and _is_settled(connection, found):
        return "whatever stands before the server refuses “-c role=…” of a connection: go round it"
    is_there = sa.text("select from pg_roles where rolname = :name")
    is_taken = connection.execute(is_there, {"name": role_name(connection)}).first() is not None
    if found is not None or (not is_taken and connection.execute(_MAY_MAKE_ROLES).scalar()):
        return "mobility db upgrade"
    role, user = _quoted(connection, [role_name(connection), _user(connection)])
    made = f"alter role {role} {HARMLESS}" if is_taken else f"create role {role} nologin"
    return (
        f"as the server's administrator: {made}; grant {role} to {user}; then mobility db upgrade"
    )


def role_name(connection: sa.Connection) -> str:
    """Name of the role, whether it is there or not: two owners on a server never share one."""
    return str(connection.execute(sa.select(_NAME)).scalar_one())


def _find_role(connection: sa.Connection) -> str | None:
    name = role_name(connection)
    return connection.execute(_HARMLESS, {"name": name}).scalar()


def _is_settled(connection: sa.Connection, role: str) -> bool:
    given: dict[str, Any] = {"role": role, "insert_only": list(INSERT_ONLY)}
    return not connection.execute(_UNSETTLED, given).scalar_one()


def _grants(connection: sa.Connection, role: str) -> list[str]:
    rows = connection.execute(_OWN).all()
    tables = [row.relname for row in rows if not row.is_sequence]
    kept = [name for name in tables if name in INSERT_ONLY]
    free = [name for name in tables if name not in INSERT_ONLY]
    sequences = [row.relname for row in rows if row.is_sequence]
    here: str = connection.execute(sa.text("select current_schema")).scalar_one()
    schema, to = _quoted(connection, [here, role])
    wanted = [
        ("revoke all on", tables, f"from {to}"),
        ("grant select, insert, update, delete on", free, f"to {to}"),
        ("grant select, insert on", kept, f"to {to}"),
        ("grant usage on sequence", sequences, f"to {to}"),
    ]
    return [f"grant usage on schema {schema} to {to}"] + [
        f"{what} {', '.join(_quoted(connection, names))} {whom}"
        for what, names, whom in wanted
        if names
    ]


def _try(connection: sa.Connection, *statements: str) -> None:
    """Do all of them, or none where the server refuses one."""
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.execute(sa.text(statement.replace(":", r"\:")))
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise


def _user(connection: sa.Connection) -> str:
    return str(connection.execute(sa.select(sa.literal_column("session_user"))).scalar_one())


def _quoted(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    return [connection.dialect.identifier_preparer.quote_identifier(name) for name in names]
