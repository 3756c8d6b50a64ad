from __future__ import annotations

import sqlalchemy as sa
from web_house import House

from vigilar_web.tables import metadata


def test_the_migrations_make_the_tables_that_are_declared(house: House) -> None:
    inspector = sa.inspect(house.engine)
    for table in metadata.sorted_tables:
        columns = {
            column["name"]: column["nullable"] for column in inspector.get_columns(table.name)
        }
        assert columns == {column.name: column.nullable for column in table.columns}, table.name
        indexed = {tuple(index["column_names"]) for index in inspector.get_indexes(table.name)}
        assert {tuple(index.columns.keys()) for index in table.indexes} <= indexed
