async def test_a_running_process_says_ok_whoever_asks(pier):
    async with pier.opened() as (_, web):
        answer = await web.get("/api/healthcheck", headers={"authorization": "Bearer nonsense"})
        assert (answer.status_code, answer.text) == (200, "Ok")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        head = await web.head("/api/healthcheck")
        assert (head.status_code, head.text) == (200, "")
