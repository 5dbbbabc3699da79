"""`pressmark token`: who may use a registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from pressmark.cli.output import emit, json_option, registry_options, table, told
from pressmark.cli.places import open_registry

if TYPE_CHECKING:
    from pressmark.registry.values import Role

ROLES: Final = ("reader", "editor", "evaluator", "approver", "admin")


@click.group()
def token() -> None:
    """Create, list and revoke tokens."""


@token.command()
@click.argument("principal")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do.")
@click.option("--label", "labels", multiple=True, help="A label that it may see; several times for several. Else all.")
@click.option("--name", "names", multiple=True, help="A pattern of prompt names, such as support/*. Else all.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires. Else never.")
@registry_options
@json_option
@told
def create(
    principal: str,
    role: Role,
    labels: tuple[str, ...],
    names: tuple[str, ...],
    days: int | None,
    registry_url: str,
    as_json: bool,
) -> None:
    """Make a token for PRINCIPAL, a person or a service.

    Its secret is printed once and kept nowhere.
    """
    expires = datetime.now(UTC) + timedelta(days=days) if days else None
    made = open_registry(registry_url).create_token(principal, role, labels=labels, names=names, expires=expires)
    if as_json:
        emit({"token": made.secret, **made.info.to_dict()})
        return
    click.echo(made.secret)
    click.echo(f"Token {made.info.id} for {principal}, {role}. Keep the line above: it is not shown again.", err=True)


@token.command("list")
@registry_options
@json_option
@told
def list_tokens(registry_url: str, as_json: bool) -> None:
    """List tokens, without their secrets."""
    found = open_registry(registry_url).tokens()
    if as_json:
        emit([info.to_dict() for info in found])
        return
    rows = [
        (
            info.id,
            info.principal.name,
            info.principal.role,
            " ".join(info.principal.labels),
            " ".join(info.principal.names),
            _state(info.expires_at, info.revoked_at),
        )
        for info in found
    ]
    table(("id", "who", "role", "labels", "names", "state"), rows, empty="There are no tokens yet.")


@token.command()
@click.argument("token_id")
@registry_options
@json_option
@told
def revoke(token_id: str, registry_url: str, as_json: bool) -> None:
    """Revoke the token with this id, at once."""
    open_registry(registry_url).revoke_token(token_id)
    if as_json:
        emit({"revoked": token_id})
        return
    click.echo(f"Token {token_id} is revoked.")


def _state(expires: datetime | None, revoked: datetime | None) -> str:
    if revoked:
        return f"revoked {revoked:%Y-%m-%d}"
    if expires and expires < datetime.now(UTC):
        return f"expired {expires:%Y-%m-%d}"
    return f"until {expires:%Y-%m-%d}" if expires else "valid"
