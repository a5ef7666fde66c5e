"""Data sources and their catalogues as the doors show them. Never an address with a secret in it."""

from __future__ import annotations

from typing import Any

from governance.catalogue import store
from governance.classification import shown_classes_of
from governance.models import DataSource


def datasource_output(datasource: DataSource) -> dict[str, Any]:
    return {
        "name": datasource.name,
        "engine": datasource.engine,
        "environment": datasource.environment,
        "max_rows": datasource.max_rows,
        "statement_timeout_ms": datasource.statement_timeout_ms,
    }


def catalogue_output(datasource: DataSource) -> dict[str, Any]:
    """`class` is the data class of a sensitive column, null where there is none; of a view's, that of what it is made from."""
    catalogue = store.current(datasource)
    classes = shown_classes_of(datasource, catalogue)
    return {
        **datasource_output(datasource),
        "version": catalogue.version,
        "search_path": list(catalogue.search_path),
        "relations": [
            {
                "schema": relation.schema,
                "name": relation.name,
                "kind": relation.kind.name.lower(),
                "estimated_rows": relation.estimated_rows,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "not_null": column.not_null,
                        "class": classes.get((relation.schema, relation.name), {}).get(column.name),
                    }
                    for column in relation.columns
                ],
            }
            for relation in sorted(catalogue.relations.values(), key=lambda relation: relation.qualified)
        ],
    }
