"""Users and keys, from the command line."""

import json
import stat


def test_users_are_added_changed_and_locked_out(here, tmp_path):
    data = ["--data", tmp_path / "data"]
    added = here("users", "add", "ann", "--role", "admin", "--password-stdin", *data, given="correct horse\n")
    assert (added.returncode, added.stdout, added.stderr) == (0, "", "ann may log in as admin\n")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert here("users", "role", "ann", "viewer", *data).returncode == 0
    assert here("users", "passwd", "ann", "--password-stdin", *data, given="another horse\n").returncode == 0
    assert here("users", "disable", "ann", *data).returncode == 0
    listed = here("users", "list", "--json", *data)
    (ann,) = json.loads(listed.stdout)["users"]
    assert (ann["name"], ann["role"], ann["disabled"]) == ("ann", "viewer", True)
    assert "argon2" not in listed.stdout
    assert here("users", "enable", "ann", *data).returncode == 0
    assert "yes" in here("users", "list", *data).stdout


def test_vips_are_made_for_a_time_or_for_good(here, tmp_path):
    data = ["--data", tmp_path / "data"]
    until = ["--vip", "--until", "2100-01-01"]
    added = here("users", "add", "ann", *until, "--password-stdin", *data, given="correct horse\n")
    assert added.stderr == "ann may log in as viewer, a VIP until 2100-01-01 00:00\n"
    assert here("users", "vip", "ann", "--until", "2001-02-03T04:05", *data).returncode == 0
    assert "ended 2001-02-03 04:05" in here("users", "list", *data).stdout
    assert here("users", "vip", "ann", "--off", *data).stderr == "ann is no VIP\n"
    (ann,) = json.loads(here("users", "list", "--json", *data).stdout)["users"]
    assert (ann["id"], ann["vip"], ann["vip_until_utc_s"]) == (1, False, None)
    alone = here("users", "add", "bob", "--until", "2100-01-01", "--password-stdin", *data, given="correct horse\n")
    assert (alone.returncode, "--vip" in alone.stderr) == (2, True)


def test_users_are_made_as_by_the_script_that_old_guides_name(sightline, tmp_path):
    data = ["--data", tmp_path / "data"]
    made = sightline("users", "create", "demo", "123456", "true", *data)
    assert (made.returncode, made.stderr.splitlines()[0]) == (0, "demo may log in as operator, a VIP")
    assert "a short password" in made.stderr
    again = sightline("users", "create", "demo", "another horse", *data)
    assert (again.returncode, again.stderr) == (0, "there is a user 'demo' already; left as it is\n")
    (demo,) = json.loads(sightline("users", "list", "--json", *data).stdout)["users"]
    assert (demo["name"], demo["role"], demo["vip"]) == ("demo", "operator", True)


def test_what_cannot_be_is_refused_in_one_line(here, tmp_path):
    data = ["--data", tmp_path / "data"]
    tries = {
        "at least 10 characters": (["users", "add", "ann", "--password-stdin"], "short\n"),
        "--password-stdin": (["users", "add", "ann"], ""),
        "user name 'a b'": (["users", "add", "a b", "--password-stdin"], "correct horse\n"),
        "no user 'eve'": (["users", "disable", "eve"], ""),
        "no key 'abc'": (["keys", "revoke", "abc"], ""),
        "key label": (["keys", "create", ""], ""),
    }
    for why, (words, given) in tries.items():
        result = here(*words, *data, given=given)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
        assert why in result.stderr
        assert "short\n" not in result.stderr


def test_a_key_is_printed_alone_and_once(here, tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_DATA_FOLDER", str(tmp_path / "data"))
    made = here("keys", "create", "[red]dash[/red]", "--role", "operator")
    text = made.stdout.removesuffix("\n")
    assert text.startswith("slk_")
    assert "\n" not in text
    number, secret = text.split("_", 2)[1:]
    listed = here("keys", "list").stdout
    assert number in listed
    assert "[red]dash[/red]" in listed
    assert secret not in listed
    assert here("keys", "revoke", number).returncode == 0
    (key,) = json.loads(here("keys", "list", "--json").stdout)["keys"]
    assert key["revoked_utc_s"]


def test_a_server_beyond_this_machine_asks_for_a_user_first(sightline, tmp_path):
    refused = sightline("serve", "--host", "0.0.0.0", "--port", "0", "--data", tmp_path / "data", "--workers", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "sightline users add NAME --role admin" in " ".join(refused.stderr.split())
