from trailbase_server.records.routes import ROUTES


def test_what_most_requests_are_for_goes_through_the_front_door():
    hot = {route.operation for route in ROUTES if route.hot}
    assert {"list_records_handler", "read_record_handler"} <= hot


def test_schema_is_no_record(site):
    bound, _ = site.router.match("GET", "/api/records/v1/diary/schema")
    assert bound.route.operation == "json_schema_handler"


def test_every_operation_has_a_name_of_its_own():
    names = [route.operation for route in ROUTES]
    assert all(names)
    assert len(set(names)) == len(names)
