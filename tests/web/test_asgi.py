async def test_an_unknown_path_is_an_empty_404(client):
    assert (await client.ask("GET", "/nowhere"))[0::2] == (404, "")


async def test_a_wrong_method_is_an_empty_405_that_says_what_is_allowed(client):
    status, headers, body = await client.ask("DELETE", "/hot/echo/a")
    assert (status, body, headers["allow"]) == (405, "", "get,head,post")


async def test_trailing_slashes_are_other_paths(client):
    assert (await client.ask("GET", "/hot/echo/a/"))[0] == 404
    assert (await client.ask("GET", "/hot/echo/"))[0] == 404


async def test_every_options_request_is_a_preflight(client):
    status, headers, body = await client.ask("OPTIONS", "/any/where", ["Origin: http://o"])
    assert (status, body) == (200, "")
    assert headers["access-control-allow-methods"] == "*"
    assert "authorization" in headers["access-control-allow-headers"]


async def test_a_stream_is_sent_in_chunks(client):
    _, headers, body = await client.ask("GET", "/stream")
    assert headers["transfer-encoding"] == "chunked"
    assert "chunk 0" in body
    assert "chunk 2" in body
