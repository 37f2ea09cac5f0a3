"""Checksums that a source states: read however they are written, and not taken for what they are not."""

from __future__ import annotations

import base64
import hashlib

import pytest

from evenkeel.adapters.checksums import from_headers, from_object, from_sidecars, from_tag

ROWS = b"id,x\n1,2\n"
SHA256, MD5 = hashlib.sha256(ROWS), hashlib.md5(ROWS)  # noqa: S324 - what sources state
OTHER = hashlib.sha256(b"other").hexdigest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "written",
    [
        SHA256.hexdigest(),
        SHA256.hexdigest().upper() + "\n",
        f"{SHA256.hexdigest()}  rows.csv\n",
        f"{SHA256.hexdigest()} *rows.csv\r\n",
        f"SHA256 (rows.csv) = {SHA256.hexdigest()}\n",
        f"{OTHER}  more-rows.csv\n{SHA256.hexdigest()}  ./rows.csv\n{OTHER}  rows.csv.old\n",
    ],
)
def test_a_sidecar_is_read_however_it_is_written(written: str) -> None:
    beside = {".sha256": written.encode()}
    assert from_sidecars("rows.csv", beside.get) == f"sha256:{SHA256.hexdigest()}"


@pytest.mark.parametrize("written", ["", "\x00\xff", f"{OTHER}  a.csv\n{OTHER}  b.csv\n", "deadbeef"])
def test_a_sidecar_that_says_nothing_of_the_file_matches_nothing(written: str) -> None:
    stated = from_sidecars("rows.csv", {".sha256": written.encode("latin-1")}.get)
    assert stated.startswith("sha256:")
    assert SHA256.hexdigest() not in stated
    assert from_sidecars("rows.csv", {}.get) == ""


@pytest.mark.parametrize(
    ("headers", "stated"),
    [
        ({"Content-MD5": _base64(MD5.digest())}, f"md5:{MD5.hexdigest()}"),
        ({"Digest": f"md5={_base64(MD5.digest())}"}, f"md5:{MD5.hexdigest()}"),
        (
            {"Digest": f"SHA-256={_base64(SHA256.digest())},md5={_base64(MD5.digest())}"},
            f"sha256:{SHA256.hexdigest()}",
        ),
        ({"Content-Digest": f"sha-256=:{_base64(SHA256.digest())}:"}, f"sha256:{SHA256.hexdigest()}"),
        (
            {"Repr-Digest": f"sha-512=:AAAA:, sha-256=:{_base64(SHA256.digest())}:"},
            f"sha256:{SHA256.hexdigest()}",
        ),
        ({"ETag": f'"{MD5.hexdigest()}"', "Server": "AmazonS3"}, f"md5:{MD5.hexdigest()}"),
        ({"ETag": f'"{MD5.hexdigest()}"'}, ""),  # any other server may mean anything by it
        ({"ETag": f'W/"{MD5.hexdigest()}"', "Server": "AmazonS3"}, ""),
        ({"Content-MD5": _base64(MD5.digest()), "Content-Encoding": "gzip"}, ""),
        ({"Content-MD5": "not base64!"}, ""),
        ({"Digest": "sha-256=short"}, ""),
        ({}, ""),
    ],
)
def test_a_header_is_taken_where_it_is_a_sum_of_the_content(headers: dict[str, str], stated: str) -> None:
    assert from_headers(headers) == stated


def test_an_object_states_its_sum_unless_it_came_in_parts_or_is_encrypted_by_a_key() -> None:
    tag = f'"{MD5.hexdigest()}"'
    assert from_object({"ETag": tag}) == f"md5:{MD5.hexdigest()}"
    assert from_object({"ETag": tag, "ServerSideEncryption": "AES256"}) == f"md5:{MD5.hexdigest()}"
    assert from_object({"ETag": tag, "ServerSideEncryption": "aws:kms"}) == ""
    assert from_object({"ETag": tag, "SSECustomerAlgorithm": "AES256"}) == ""
    assert from_object({"ETag": f'"{MD5.hexdigest()}-3"'}) == ""
    whole = {"ETag": tag, "ChecksumSHA256": _base64(SHA256.digest())}
    assert from_object(whole) == f"sha256:{SHA256.hexdigest()}"
    assert from_object(whole | {"ChecksumType": "COMPOSITE"}) == f"md5:{MD5.hexdigest()}"
    assert from_tag("", "", "") == ""
