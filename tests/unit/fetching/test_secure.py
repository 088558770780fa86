"""Encrypted connections: to the checked address, but with the server that has the name."""

import datetime as dt
import ssl
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sightline.errors import RefusedError, SourceError
from sightline.fetching import Policy, download

VIDEO = bytes(range(256)) * 800
POLICY = Policy(private_networks=(ip_network("127.0.0.1/32"),), timeout_s=20.0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """One for ``camera.test``, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("camera.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def asked_for():
    return []


@pytest.fixture
def server(serve, certificate, asked_for, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    return serve(wrap=lambda listening: context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False))


def fetch(url, folder, **more):
    return download(url, folder, POLICY, lambda *_: None, lambda: False, resolve=lambda host: ["127.0.0.1"], **more)


def test_the_server_is_asked_by_its_name(server, asked_for, tmp_path):
    path = fetch(f"https://camera.test:{server.server_port}/video.mp4", tmp_path)
    assert path.read_bytes() == VIDEO
    assert asked_for == ["camera.test"]
    assert server.seen[0][1]["Host"] == f"camera.test:{server.server_port}"


def test_a_server_without_the_name_is_not_believed(server, tmp_path):
    with pytest.raises(SourceError, match="certificate"):
        fetch(f"https://other.test:{server.server_port}/video.mp4", tmp_path)
    assert server.seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_nobody_vouches_for_is_not_believed(server, tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceError, match="certificate"):
        fetch(f"https://camera.test:{server.server_port}/video.mp4", tmp_path)


def test_nobody_sends_us_from_secure_to_open(server, tmp_path):
    with pytest.raises(RefusedError, match="from https to http"):
        fetch(f"https://camera.test:{server.server_port}/to?http://camera.test/video.mp4", tmp_path)
