"""Requests of one client are counted where the configuration says so."""


async def test_posts_of_one_client_are_limited(server, state, config):
    state.configure(config, None, 2)
    for _ in range(2):
        answer = await server.post("/refresh", {"refresh_token": "x"})
        assert answer.status == 401
        assert answer.header(b"x-ratelimit-limit") == "2"
    answer = await server.post("/login", {"username": "nora", "password": "NORA-pass-77"})
    assert (answer.status, answer.text) == (429, "Too Many Requests! Wait for 1s")
    assert answer.header(b"retry-after") == "1"
    answer = await server.get("/status")
    assert answer.status == 200
    assert answer.header(b"x-ratelimit-whitelisted") == "true"


async def test_nobody_is_limited_otherwise(server, state, config):
    answer = await server.get("/status")
    assert answer.header(b"x-ratelimit-whitelisted") is None
    state.dev = True
    state.configure(config, None, 1)
    for _ in range(3):
        assert (await server.post("/refresh", {"refresh_token": "x"})).status == 401
