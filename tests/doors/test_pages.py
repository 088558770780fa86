"""The front end of the older run server, served from where it always was."""

import httpx
import pytest

PAGES = {
    "index.html": b"<!doctype html><title>runs</title>",
    "app.js": b"fetch('/api/runs')",
    "components/card.js": b"export {}",
    "viewer/scene.js": b"export {}",
    "other/secret.js": b"",
    ".env": b"KEY=1",
}


@pytest.fixture
def server(serve, here, tmp_path):
    """Who asks for runs must be known here; who asks for pages need not be."""
    here("keys", "create", "any", "--data", tmp_path / "data")
    for name, content in PAGES.items():
        path = tmp_path / "data" / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "data" / "pages" / "out.txt").symlink_to(tmp_path / "secret.txt")
    return serve("--only", "runs", workers=0)


def test_pages_are_for_everybody_and_nothing_else_is(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        found = {name: client.get(name) for name in ("/", "/app.js", "/components/card.js", "/viewer/scene.js")}
        assert [answer.status_code for answer in found.values()] == [200] * 4
        assert found["/"].content == PAGES["index.html"]
        assert found["/"].headers["content-type"].startswith("text/html")
        assert found["/app.js"].headers["content-type"].startswith("text/javascript")
        assert client.head("/app.js").headers["content-length"] == str(len(PAGES["app.js"]))
        away = ["/.env", "/out.txt", "/other/secret.js", "/nothing.js", "/viewer/", "/%2e%2e/secret.txt"]
        away += ["/..%2fsecret.txt", "/viewer/%2e%2e%2fapp.js", "/a%00b", "/" + "a" * 999]
        assert [client.get(path).status_code in {401, 404} for path in away] == [True] * len(away)
        assert client.get("/api/runs").status_code == 401
        assert client.post("/app.js").status_code == 405
