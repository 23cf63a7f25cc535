"""List what the databases contain (spec admin-api/get-tables)."""

from trailbase_server.admin.state import AdminState
from trailbase_server.schema.wire import render_index, render_table, render_trigger, render_view
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


def list_tables(state: AdminState, _request: Request) -> Response:
    """
    Answer with all tables, indexes, triggers and views, each with its SQL.

    Spec:
        admin-api/get-tables
    """
    catalog = state.catalog()
    return json_value(
        {
            "tables": [[render_table(table), table.sql] for table in catalog.tables.values()],
            "indexes": [[render_index(index), index.sql] for index in catalog.indexes],
            "triggers": [[render_trigger(one), one.sql] for one in catalog.triggers],
            "views": [[render_view(view), view.sql] for view in catalog.views.values()],
        }
    )
