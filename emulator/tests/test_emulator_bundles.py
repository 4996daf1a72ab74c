"""Clerk's browser bundles: served from a folder or the CDN, and how they are downloaded."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from flask import Flask

from clerk_emulator import EmulatorConfig, assets
from clerk_emulator.assets import FetchError, fetch_bundles, unpack


@pytest.fixture
def bundle(config: EmulatorConfig) -> Path:
    folder = config.assets / "ui"
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": "1.36.0"}))
    (folder / "dist" / "ui.browser.js").write_text("// the bundle")
    (config.assets / "secret.js").write_text("// not for you")
    return folder


@pytest.mark.parametrize("version", ["1", "1.36.0", "latest", "1.2.3-beta.4"])
def test_every_version_returns_the_downloaded_one(
    emulator: Flask, bundle: Path, version: str
) -> None:
    answer = emulator.test_client().get(f"/npm/@clerk/ui@{version}/dist/ui.browser.js")
    assert answer.text == "// the bundle"
    assert answer.mimetype == "text/javascript"


def test_only_the_exact_version_is_cached_for_long(emulator: Flask, bundle: Path) -> None:
    http = emulator.test_client()
    exact = http.get("/npm/@clerk/ui@1.36.0/dist/ui.browser.js").headers["Cache-Control"]
    ranged = http.get("/npm/@clerk/ui@1/dist/ui.browser.js").headers["Cache-Control"]
    assert "immutable" in exact
    assert "immutable" not in ranged


def test_missing_files_come_from_the_cdn(emulator: Flask) -> None:
    answer = emulator.test_client().get("/npm/@clerk/clerk-js@6/dist/clerk.browser.js")
    assert answer.status_code == 307
    assert answer.location == "https://cdn.jsdelivr.net/npm/@clerk/clerk-js@6/dist/clerk.browser.js"


@pytest.mark.parametrize(
    "path",
    [
        "ui@1/dist/../../secret.js",
        "ui@1/dist/..%2f..%2fsecret.js",
        "ui@1/dist/%2e%2e/%2e%2e/secret.js",
        "ui@1/dist/..\\..\\secret.js",
        "ui@1/dist//etc/passwd",
        "ui@1/dist/%00",
        "ui@1/../dist/ui.browser.js",
        "ui@1@evil/dist/ui.browser.js",
        "other@1/dist/ui.browser.js",
    ],
)
def test_no_path_leaves_the_folder(emulator: Flask, bundle: Path, path: str) -> None:
    answer = emulator.test_client().get(f"/npm/@clerk/{path}", follow_redirects=False)
    assert answer.status_code in (308, 404)
    assert "not for you" not in answer.text


def archive(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            content = json.dumps({"version": "1.36.0"}).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_only_browser_files_are_unpacked(tmp_path: Path) -> None:
    names = ("package.json", "LICENSE", "dist/a.js", "dist/b/c.js")
    unwanted = ("README.md", "dist/a.js.map", "dist/a.d.ts", "src/x.js")
    packed = archive(tmp_path / "ui.tgz", *(f"package/{name}" for name in names + unwanted))
    unpack(packed, tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in files) == sorted(names)


@pytest.mark.parametrize("name", ["package/dist/../../../evil.js", "package/dist/..\\evil.js"])
def test_an_archive_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(FetchError, match="unsafe"):
        unpack(archive(tmp_path / "ui.tgz", name), tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("*evil*"))


def test_links_in_an_archive_are_ignored(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "ui.tgz", "w:gz") as tar:
        link = tarfile.TarInfo("package/dist/link.js")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        tar.addfile(link)
    unpack(tmp_path / "ui.tgz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_is_filled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def npm_pack(release: str, scratch: Path) -> Path:
        return archive(scratch / "x.tgz", "package/package.json", "package/dist/a.js")

    monkeypatch.setattr(assets, "_npm_pack", npm_pack)
    assert fetch_bundles(tmp_path) == ["clerk-js", "ui"]
    assert fetch_bundles(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clerk-js", "ui"]


def test_the_folder_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def npm_pack(release: str, scratch: Path) -> Path:
        assert scratch.is_absolute(), "npm runs in this folder"
        return archive(scratch / "x.tgz", "package/package.json", "package/dist/a.js")

    monkeypatch.setattr(assets, "_npm_pack", npm_pack)
    monkeypatch.chdir(tmp_path)
    assert fetch_bundles(Path("clerk-js")) == ["clerk-js", "ui"]
    assert (tmp_path / "clerk-js" / "ui" / "dist" / "a.js").is_file()


def test_a_failed_download_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def npm_pack(release: str, scratch: Path) -> Path:
        whole = archive(scratch / "x.tgz", "package/package.json", "package/dist/a.js")
        whole.write_bytes(whole.read_bytes()[:60])
        return whole

    monkeypatch.setattr(assets, "_npm_pack", npm_pack)
    with pytest.raises(FetchError, match="can't be unpacked"):
        fetch_bundles(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_npm_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="npm was not found"):
        fetch_bundles(tmp_path)
