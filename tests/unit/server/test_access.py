"""Who comes in, and who does not."""

import time

import jwt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .conftest import PASSWORD

ME = "/api/v1/auth/me"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ODD_LOGINS = [
    (JSON, b"{", 400),
    (JSON, b"[" * 100_000, 400),
    (JSON, b"[]", 422),
    (JSON, b'{"username": "ann"}', 422),
    (JSON, b'{"username": 1, "password": "secret-xyz"}', 422),
    (JSON, b'{"username": "ann", "password": "' + b"secret-xyz" * 200 + b'"}', 422),
    (JSON, b'{"username": "\\ud800", "password": "\\ud800secret-xyz"}', 422),
    (JSON, b'{"username": "ann\\u0000", "password": "secret-xyz"}', 401),
    (JSON, b"\xff\xfe\x00", 400),
    (FORM, b"username=ann", 422),
    (FORM, b"&".join([b"a=b"] * 5000), 400),
    ("multipart/form-data; boundary=x", b"nothing of the kind", 400),
    ("multipart/form-data", b"", 400),
    ("text/plain", b"username=ann&password=secret-xyz", 415),
]


def refused(answer, status, *words):
    """Whether this is a refusal in the field's shape."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["detail"]
    assert all(word in answer.json()["detail"] for word in words), answer.text
    return True


def test_with_nobody_to_log_in_everybody_is_admin(serve):
    with serve().client() as client:
        assert client.get(ME).json() == {"name": "anonymous", "role": "admin"}
        assert client.get("/api/v1/users").json() == []


def test_from_the_first_user_on_strangers_stay_out(serve):
    server = serve()
    with server.client() as client:
        added = client.post("/api/v1/users", json={"name": "ann", "password": PASSWORD, "role": "admin"})
        assert added.status_code == 201
        assert "password" not in added.text
        assert "argon2" not in added.text
        answer = client.get(ME)
        assert refused(answer, 401, "log in first")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/health").status_code == 200
        assert client.get("/openapi.json").status_code == 200


def test_a_user_added_from_elsewhere_closes_the_door_within_seconds(serve):
    server = serve()
    with server.client() as client:
        assert client.get(ME).status_code == 200
        server.add("ann", "admin")
        end = time.monotonic() + 15
        while client.get(ME).status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert refused(client.get(ME), 401)


@pytest.mark.parametrize("how", ["json", "data", "files"])
def test_logging_in_gives_a_token(server, ann, password_hash, how):
    server.add(ann, "operator", password_hash)
    given = {"username": ann, "password": PASSWORD}
    given = {name: (None, value) for name, value in given.items()} if how == "files" else given
    with server.client() as client:
        answer = client.post("/api/v1/auth/login", **{how: given})
    login = answer.json()
    assert (login["token_type"], login["expires_in"], login["role"]) == ("bearer", 3600, "operator")
    with server.client(login["access_token"]) as client:
        assert client.get(ME).json() == {"name": ann, "role": "operator"}
        assert client.post("/probe/work").json() == ann
        assert refused(client.get("/api/v1/users"), 403, "needs the role admin", f"{ann} has the role operator")


def test_wrong_names_wrong_passwords_and_locked_users_are_refused_alike(server, ann, password_hash):
    server.add(ann, "viewer", password_hash)
    server.add(f"{ann}-out", "viewer", password_hash)
    server.add(f"{ann}-old", "viewer", "$plain$of another time")
    server.guard.accounts.users.set_disabled(f"{ann}-out", True)
    tries = [(ann, "wrong horse"), (f"{ann}-eve", PASSWORD), (f"{ann}-out", PASSWORD), (f"{ann}-old", PASSWORD)]
    said, took_s = [], []
    with server.client() as client:
        for name, password in tries:
            began_s = time.perf_counter()
            answer = client.post("/api/v1/auth/login", json={"username": name, "password": password})
            took_s.append(time.perf_counter() - began_s)
            assert refused(answer, 401, "wrong name or password")
            said.append((answer.content, answer.headers["www-authenticate"], sorted(answer.headers)))
    assert said == [said[0]] * 4
    assert min(took_s[:3]) > 0.02  # all three were hashed


def test_odd_logins_are_refused_without_repeating_the_password(server, ann, password_hash):
    server.add(ann, "viewer", password_hash)
    for kind, body, status in ODD_LOGINS:
        with server.client(content_type=kind) as client:
            answer = client.post("/api/v1/auth/login", content=body)
        assert answer.status_code == status, (kind, body[:80], answer.text)
        assert list(answer.json()) == ["detail"]
        assert "secret-xyz" not in answer.text


def test_tokens_that_are_not_ours_not_good_or_not_tokens_are_refused(server, ann):
    server.add(ann, "admin")
    now = time.time()
    good = {"sub": ann, "role": "admin", "iat": now, "exp": now + 60, "jti": "x", "aud": "sightline"}
    secret = server.guard.tokens._secret
    hours_ago = now - 2 * 3600
    bad = {
        "other secret": jwt.encode(good, "x" * 64, "HS256"),
        "no signature": jwt.encode(good, None, "none"),
        "expired": jwt.encode(good | {"iat": hours_ago, "exp": hours_ago + 3600}, secret, "HS256"),
        "another algorithm": jwt.encode(good, secret * 4, "HS512"),
        "for somebody else": jwt.encode(good | {"aud": "other"}, secret, "HS256"),
        "of nobody": jwt.encode(good | {"sub": f"{ann}-eve"}, secret, "HS256"),
        "no number": jwt.encode({n: v for n, v in good.items() if n != "jti"}, secret, "HS256"),
        "no end": jwt.encode({n: v for n, v in good.items() if n != "exp"}, secret, "HS256"),
        "rubbish": "a.b.c",
        "deep": "W1tb" * 900 + ".e30.x",
        "endless": "a" * 10_000,
        "key that is none": "slk_000000000000_" + "a" * 43,
    }
    for what, token in bad.items():
        with server.client(token) as client:
            answer = client.get(ME)
            assert refused(answer, 401, "wrong, expired or revoked"), what
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    with server.client(jwt.encode(good, secret, "HS256")) as client:
        assert client.get(ME).status_code == 200


@pytest.mark.parametrize("asked", [{"password": "another horse"}, {"role": "viewer"}, {"disabled": True}])
def test_tokens_are_void_once_their_user_changes(server, ann, root, asked):
    server.add(ann, "admin")
    with server.client(server.token(ann)) as anns:
        assert anns.get(ME).status_code == 200
        assert root.patch(f"/api/v1/users/{ann}", json=asked).status_code == 200
        assert refused(anns.get(ME), 401)
    assert root.get(ME).status_code == 200


def test_what_was_asked_before_a_password_changed_gives_no_token_after(server, ann):
    user = server.add(ann, "admin")
    with server.client(server.token(ann, issued_utc_s=user.changed_utc_s - 0.001)) as client:
        assert refused(client.get(ME), 401)


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_keys_let_programs_in_until_they_are_revoked(server, root, header):
    key, text = server.key("operator")
    with server.client(**{header: text if header == "x-api-key" else f"Bearer {text}"}) as client:
        assert client.get(ME).json() == {"name": f"key:{key.id}", "role": "operator"}
        assert server.guard.accounts.keys.look_up(key.id).last_used_utc_s is not None
        assert root.delete(f"/api/v1/keys/{key.id}").json()["revoked_at"]
        assert refused(client.get(ME), 401)


def test_a_forgotten_route_is_closed_all_the_same(server, root):
    with server.client() as client:
        assert refused(client.get("/probe/forgotten"), 401)
        assert refused(client.get("/no/such/route"), 401)
        assert refused(client.get("/metrics"), 401)
    assert root.get("/probe/forgotten").json() == "seen"
    assert refused(root.get("/no/such/route"), 404)


def test_a_ticket_looks_at_one_path_for_a_few_minutes(server, ann, root):
    server.add(ann, "operator")
    with server.client(server.token(ann)) as client:
        ticket = client.post("/api/v1/auth/ticket", json={"path": "/probe/stream"}).json()
        assert ticket["expires_in"] == 300
    query = {"token": ticket["token"]}
    with server.client() as client:
        assert client.get("/probe/stream", params=query).text == "ab"
        assert refused(client.get(ME, params=query), 401)
        assert refused(client.post("/probe/stream", params=query), 401)
        assert refused(client.get("/probe/stream", headers={"authorization": f"Bearer {ticket['token']}"}), 401)
        root.delete(f"/api/v1/users/{ann}")
        assert refused(client.get("/probe/stream", params=query), 401)


def test_a_ticket_of_a_key_ends_with_the_key(server, root):
    key, text = server.key("viewer")
    with server.client(x_api_key=text) as client:
        ticket = client.post("/api/v1/auth/ticket", json={"path": "/probe/stream"}).json()["token"]
    with server.client() as client:
        assert client.get("/probe/stream", params={"token": ticket}).status_code == 200
        root.delete(f"/api/v1/keys/{key.id}")
        assert refused(client.get("/probe/stream", params={"token": ticket}), 401)


def test_tickets_are_for_paths_only(root):
    for path in ("", "probe", "/a?b", "/a#b", "/" + "a" * 2000, 7, None):
        assert root.post("/api/v1/auth/ticket", json={"path": path}).status_code == 422, path


def test_tokens_in_addresses_only_look_and_keys_do_not_belong_there(server):
    _, key = server.key("admin")
    token = {"token": server.token("root")}
    with server.client() as client:
        assert client.get(ME, params=token).json()["name"] == "root"
        assert refused(client.post("/probe/work", params=token), 401)
        assert refused(client.get(ME, params={"token": key}), 401)


def test_sockets_are_guarded_as_routes_are(server, ann):
    server.add(ann, "viewer")
    at = server.url.replace("http", "ws") + "/probe/socket"

    def status(url, **headers):
        with pytest.raises(InvalidStatus) as refusal:
            connect(url, additional_headers=headers).close()
        assert b'"detail"' in refusal.value.response.body
        return refusal.value.response.status_code

    assert status(at) == 401
    assert status(f"{at}?token={server.token(ann + '-eve')}") == 401
    assert status(f"{at}?token={server.token(ann)}") == 403
    assert status(at, authorization=f"Bearer {server.token('root')}", origin="http://elsewhere.example") == 403
    with connect(f"{at}?token={server.token('root')}") as socket:
        assert socket.recv() == "root"
        socket.send("and now?")
        assert socket.recv() == "still"


def test_a_socket_whose_user_is_locked_out_is_noticed(server, ann):
    server.add(ann, "operator")
    at = server.url.replace("http", "ws") + "/probe/socket"
    with connect(f"{at}?token={server.token(ann)}") as socket:
        assert socket.recv() == ann
        server.guard.accounts.users.set_disabled(ann, True)
        server.guard.accounts.forget()
        socket.send("and now?")
        assert socket.recv() == "gone"


def test_admins_manage_users_but_do_not_lock_themselves_out(server, ann, root):
    asked = {"name": ann, "password": PASSWORD, "role": "viewer"}
    assert root.post("/api/v1/users", json=asked).json()["role"] == "viewer"
    assert refused(root.post("/api/v1/users", json=asked), 409, "already")
    assert root.post("/api/v1/users", json=asked | {"name": "a b"}).status_code == 422
    short = root.post("/api/v1/users", json=asked | {"name": f"{ann}-2", "password": "short-one"})
    assert (short.status_code, "short-one" in short.text) == (422, False)
    assert root.patch(f"/api/v1/users/{ann}", json={"role": "operator"}).json()["role"] == "operator"
    vip = {"vip": True, "vip_until": "2100-01-01T00:00:00Z"}
    assert root.patch(f"/api/v1/users/{ann}", json=vip).json()["vip_until"].startswith("2100-01-01")
    assert root.patch(f"/api/v1/users/{ann}", json={"vip": False}).json()["vip"] is False
    assert root.patch(f"/api/v1/users/{ann}", json={"vip_until": vip["vip_until"]}).status_code == 422
    assert root.delete(f"/api/v1/users/{ann}").json()["disabled"] is True
    listed = {one["name"]: one for one in root.get("/api/v1/users").json()}
    assert (listed[ann]["disabled"], listed["root"]["disabled"]) == (True, False)
    assert refused(root.patch(f"/api/v1/users/{ann}-2", json={"role": "viewer"}), 404, "no user")
    for change in ({"disabled": True}, {"role": "viewer"}):
        assert refused(root.patch("/api/v1/users/root", json=change), 409, "lock yourself out")
    assert refused(root.delete("/api/v1/users/root"), 409)
    assert root.get(ME).status_code == 200


def test_admins_manage_keys_whose_text_is_shown_once(server, root):
    made = root.post("/api/v1/keys", json={"label": "dashboard", "role": "operator"})
    assert made.status_code == 201
    listed = root.get("/api/v1/keys")
    assert made.json()["id"] in [one["id"] for one in listed.json()]
    assert made.json()["key"].split("_", 2)[2] not in listed.text
    assert refused(root.delete("/api/v1/keys/000000000000"), 404)
    assert refused(root.post("/api/v1/keys", json={"label": "two\nlines"}), 400, "key label")
    with server.client(x_api_key=made.json()["key"]) as client:
        assert client.post("/probe/work").status_code == 200
        assert refused(client.get("/api/v1/keys"), 403, "admin")


def test_with_auth_off_nobody_is_asked(serve):
    server = serve(auth={"mode": "off"})
    server.add("ann", "viewer")
    with server.client() as client:
        assert client.get(ME).json()["role"] == "admin"


def test_the_api_says_how_to_log_in(server):
    with server.client() as client:
        described = client.get("/openapi.json").json()
    assert set(described["components"]["securitySchemes"]) == {"login", "api_key"}
    assert described["paths"]["/api/v1/users"]["get"]["security"] == [{"login": []}, {"api_key": []}]
    assert "security" not in described["paths"]["/api/v1/auth/login"]["post"]


def test_two_servers_of_one_installation_take_each_others_tokens(serve):
    one, other = serve(), serve()
    one.add("ann", "admin")
    with other.client(one.token("ann")) as client:
        assert client.get(ME).json()["name"] == "ann"
