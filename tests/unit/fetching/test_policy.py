"""What may be opened, and how an address is written that others may open."""

from ipaddress import ip_network

import pytest

from sightline.errors import RefusedError, SightlineError, SourceError
from sightline.fetching import Policy
from sightline.fetching.hosts import is_allowed

PUBLIC = "93.184.216.34"
HOME = Policy(private_networks=(ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8")))


def at(*ips):
    return lambda host: list(ips)


def test_a_public_address_is_allowed_and_shown_without_secrets():
    address = Policy().check("https://me:hush@Example.com:8443/a/b.mp4?token=hush", at(PUBLIC))
    assert (address.scheme, address.host, address.port, address.ips) == ("https", "example.com", 8443, (PUBLIC,))
    assert address.shown == "https://example.com:8443/a/b.mp4"
    assert "hush" not in repr(address)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.1.1",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "100::1",
        "4000::1",
        "nonsense",
        "",
    ],
)
def test_what_is_not_public_is_refused(ip):
    with pytest.raises(RefusedError, match="private_networks"):
        Policy().check("http://host/a.mp4", at(ip))


@pytest.mark.parametrize("ip", [PUBLIC, "2606:4700::1111", "64:ff9b::93.184.216.34", "2002:5db8:d822::1"])
def test_what_is_public_is_allowed(ip):
    assert Policy().check("http://host/a.mp4", at(ip)).ips == (ip,)


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(RefusedError):
        Policy().check("http://host/a.mp4", at(PUBLIC, "10.0.0.1"))


def test_networks_of_cameras_can_be_allowed():
    assert HOME.check("rtsp://camera/a", at("10.1.2.3")).ips == ("10.1.2.3",)
    assert HOME.check("rtsp://camera/a", at("::ffff:10.1.2.3")).ips == ("::ffff:10.1.2.3",)
    with pytest.raises(RefusedError):
        HOME.check("rtsp://camera/a", at("10.2.2.3"))


@pytest.mark.parametrize("ip", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"])
def test_some_places_are_refused_whatever_networks_are_allowed(ip):
    assert not is_allowed(ip, (ip_network("0.0.0.0/0"), ip_network("::/0")))


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:7f00:1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
    ],
)
def test_no_spelling_hides_this_machine(host):
    """Through the real resolver of this machine."""
    with pytest.raises(SightlineError) as caught:
        Policy().check(f"http://{host}/")
    assert isinstance(caught.value, RefusedError | SourceError)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "127。0。0。1"])
def test_what_hides_in_a_spelling_is_what_is_checked(host):
    assert HOME.check(f"http://{host}/").ips == ("127.0.0.1",)


def test_the_host_is_what_stands_behind_the_last_at():
    asked = []

    def resolve(host):
        asked.append(host)
        return [PUBLIC]

    address = Policy().check("http://good.example@evil.example/", resolve)
    assert asked == ["evil.example"]
    assert address.shown == "http://evil.example/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "a.mp4",
        "../a.mp4",
        "http://",
        "http:///path",
        "http:host",
        "http:/host/",
        "http://ho st/",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://host/\tx",
        "http://host\x00.evil/",
        "http://host\\@evil/",
        "http://host:0/",
        "http://host:/",
        "http://host:99999/",
        "http://host:x/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://ho%73t/",
        "http://-host/",
        "http://host../",
        "http://a..b/",
        "http://" + "a" * 300 + "/",
        "http://host/" + "a" * 5000,
        "http://host/\u202egpj.exe",
        "rtsp://user:pa#ss@host/",
        "file://host/etc/passwd",
        "file:///a?b",
        "file:///a#b",
        "file:///%00",
        "file:///%ff",
        "file:a",
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/../other/key",
        "s3://bucket//key",
        "s3://user:word@bucket/key",
        "s3://B/key",
    ],
)
def test_nonsense_is_told_from_what_is_refused(url):
    policy = Policy(buckets=("*",))
    with pytest.raises(SourceError) as caught:
        policy.check(url, at(PUBLIC))
    message = str(caught.value)
    assert message.isprintable()
    assert "word" not in message.replace("password", "")
    assert len(message) < 300


@pytest.mark.parametrize(
    "url",
    [
        "concat:/etc/passwd",
        "pipe:0",
        "data:text/plain,a",
        "subfile,,start,0,end,0,,:/etc/passwd",
        "ftp://host/a",
        "gopher://host/",
        "tcp://host:1",
        "crypto:/etc/passwd",
        "javascript:x",
        "HTTPX://host/",
        "lavfi:testsrc",
    ],
)
def test_other_kinds_of_addresses_are_never_opened(url):
    with pytest.raises((RefusedError, SourceError), match="address: "):
        Policy().check(url, at(PUBLIC))


@pytest.mark.parametrize("url", ["rtsp://host/a", "file:///a", "/a", "s3://bucket/a"])
def test_kinds_can_be_left_out(url):
    with pytest.raises(RefusedError, match="schemes"):
        Policy(schemes=frozenset({"http"})).check(url, at(PUBLIC))


def test_hosts_can_be_limited_to_some():
    policy = Policy(hosts=("*.Example.com", "other.org"))
    for host in ("a.example.com", "A.EXAMPLE.COM", "other.org", "other.org."):
        assert policy.check(f"http://{host}/a", at(PUBLIC)).ips
    for host in ("example.com", "example.com.evil.org", "notother.org"):
        with pytest.raises(RefusedError, match=r"fetching\.hosts"):
            policy.check(f"http://{host}/a", at(PUBLIC))
    with pytest.raises(RefusedError, match="private_networks"):
        policy.check("http://other.org/a", at("10.0.0.1"))


def test_a_stream_is_pinned_to_the_address_that_was_checked():
    address = HOME.check("RTSP://me:p@ss@camera.local:8554/live/1?profile=2#x", at("10.1.2.3", "10.1.2.4"))
    assert address.pinned_url == "rtsp://me:p%40ss@10.1.2.3:8554/live/1?profile=2"
    assert address.shown == "rtsp://camera.local:8554/live/1"
    assert "ss@" not in repr(address)


def test_a_stream_is_pinned_to_an_address_of_the_newer_kind():
    address = Policy().check("rtsps://camera/live", at("2606:4700::1111"))
    assert address.pinned_url == "rtsps://[2606:4700::1111]/live"


def test_what_is_percent_encoded_stays_so():
    address = Policy().check("rtsp://a%40b:c%3Ad@camera/x%20y/é", at(PUBLIC))
    assert address.pinned_url == f"rtsp://a%40b:c%3Ad@{PUBLIC}/x%20y/%C3%A9"


def test_only_streams_are_pinned():
    assert Policy().check("http://host/a", at(PUBLIC)).pinned_url is None


def test_a_host_that_does_not_exist_is_said():
    with pytest.raises(SourceError, match=r"nowhere\.invalid: no such host"):
        Policy().check("http://nowhere.invalid/")
    with pytest.raises(SourceError, match="no such host"):
        Policy().check("http://host/", at())


def test_buckets_of_others_than_amazon_may_have_underscores():
    assert Policy(buckets=("some_*",)).check("s3://some_one/a/b.mp4").host == "some_one"


def test_buckets_must_be_named():
    with pytest.raises(RefusedError, match="buckets"):
        Policy().check("s3://bucket/key")
    address = Policy(buckets=("buck*",)).check("s3://bucket/some/key.mp4")
    assert (address.host, address.shown) == ("bucket", "s3://bucket/some/key.mp4")


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    (folder / "sub dir").mkdir(parents=True)
    (folder / "sub dir" / "a#1?.mp4").write_bytes(b"video")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "media2").mkdir()
    (tmp_path / "media2" / "b.mp4").write_bytes(b"video")
    return folder


def test_files_of_media_folders_may_be_read_by_path_or_address(media):
    policy, path = Policy(media_folders=(media,)), media / "sub dir" / "a#1?.mp4"
    assert policy.check(str(path)).path == path
    assert policy.check(path.as_uri()).path == path
    assert policy.check(path.as_uri().replace("file://", "file://localhost")).path == path


def test_a_media_folder_may_itself_be_a_link(media, tmp_path):
    (tmp_path / "link").symlink_to(media)
    policy = Policy(media_folders=(tmp_path / "link",))
    assert policy.check(f"{tmp_path}/link/sub dir/a#1?.mp4").path == media / "sub dir" / "a#1?.mp4"


def test_links_out_of_a_media_folder_lead_nowhere(media, tmp_path):
    (media / "out.mp4").symlink_to(tmp_path / "secret.txt")
    (media / "up").symlink_to(tmp_path)
    policy = Policy(media_folders=(media,))
    for path in ("out.mp4", "up/secret.txt", "../secret.txt", "../media2/b.mp4", "sub dir/../../secret.txt"):
        with pytest.raises(RefusedError, match="media_folders"):
            policy.check(f"{media}/{path}")
    with pytest.raises(RefusedError, match="media_folders"):
        policy.check(f"file://{media}/%2e%2e/secret.txt")


def test_nothing_is_said_of_what_is_outside(media):
    """Not even whether it is there."""
    policy, told = Policy(media_folders=(media,)), []
    for path in ("/etc/passwd", "/etc/no-such-file", "/etc"):
        with pytest.raises(RefusedError) as caught:
            policy.check(path)
        told.append(str(caught.value).replace(path, "X"))
    assert len(set(told)) == 1


def test_without_media_folders_no_file_may_be_read(media):
    with pytest.raises(RefusedError, match="media_folders"):
        Policy().check(str(media / "sub dir" / "a#1?.mp4"))


def test_what_is_no_file_is_said(media):
    policy = Policy(media_folders=(media,))
    with pytest.raises(SourceError, match="no such file"):
        policy.check(f"{media}/none.mp4")
    with pytest.raises(SourceError, match="not a file"):
        policy.check(f"{media}/sub dir")
    with pytest.raises(SourceError, match="not a file"):
        Policy(media_folders=(media.parent / "x", media.parents[-1])).check("/dev/zero")
