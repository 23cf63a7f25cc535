"""How identifiers are written. Values are never written: they are bound."""


def quote(identifier: str) -> str:
    """Quote an identifier of the schema model for use in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def quote_qualified(schema: str | None, name: str) -> str:
    """Quote ``schema.name``; without schema just the name."""
    return f"{quote(schema)}.{quote(name)}" if schema else quote(name)
