async def test_an_administrator_sees_all_services_in_their_order(pier):
    async with pier.opened() as (depot, web):
        path = "/api/_admin/oauth_providers"
        answer = (await web.get(path, headers=await pier.boss(depot))).json()
        providers = answer["providers"]
        assert providers[0] == {"id": 2, "name": "oidc0", "display_name": "OpenID Connect"}
        assert [one["name"] for one in providers[1:]] == [
            "apple",
            "discord",
            "gitlab",
            "github",
            "google",
            "facebook",
            "microsoft",
            "twitch",
            "yandex",
        ]
        assert (await web.get(path)).status_code == 401
