async def test_the_listing_has_every_object_with_its_sql(pier):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        listing = (await web.get("/api/_admin/tables", headers=boss)).json()
    names = {kind: {model["name"]["name"] for model, _ in listing[kind]} for kind in listing}

    assert {"boat", "gauge", "_user"} <= names["tables"]
    assert "boat_name" in names["indexes"]
    assert "boat_names" in names["views"]
    assert "boat_kept" in names["triggers"]
    schemas = {
        model["name"]["name"]: model["name"]["database_schema"] for model, _ in listing["tables"]
    }
    assert (schemas["boat"], schemas["gauge"]) == (None, "tide")
    assert all(sql for kind in listing.values() for _, sql in kind)
