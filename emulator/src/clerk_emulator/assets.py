"""Download Clerk's browser bundles with npm.

Nothing is installed and no package script runs: ``npm pack`` only downloads the archives, of which
only the files for browsers are unpacked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from .bundles import local_version

RELEASES = {"clerk-js": "@clerk/clerk-js@6", "ui": "@clerk/ui@1"}
KEPT = ("package/package.json", "package/LICENSE")
DIST = "package/dist/"
UNUSED = (".map", ".d.ts", ".d.mts")
TIMEOUT_SECONDS = 300


class FetchError(Exception):
    """The bundles could not be downloaded. The message is for a person."""


def fetch_bundles(folder: Path) -> list[str]:
    """Download the packages that are missing in ``folder``.

    :returns: the names of the packages that were downloaded.
    :raises FetchError: if npm is missing or fails, or an archive isn't as expected.
    """
    folder = folder.absolute()  # npm runs in another one
    wanted = [name for name in RELEASES if local_version(folder / name) is None]
    for name in wanted:
        _fetch(folder, name)
    return wanted


def _fetch(folder: Path, name: str) -> None:
    """Unpack in another folder, then rename it, so that no package is ever incomplete."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as scratch:
        archive = _npm_pack(RELEASES[name], Path(scratch))
        unpacked = Path(scratch) / "unpacked"
        unpack(archive, unpacked)
        if local_version(unpacked) is None or not (unpacked / "dist").is_dir():
            raise FetchError(f"{archive.name} has no package.json or no dist folder.")
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        os.replace(unpacked, folder / name)


def _npm_pack(release: str, scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            "npm was not found. Install Node.js from https://nodejs.org, or continue without it: "
            "browsers then load the bundles from a public CDN."
        )
    command = [npm, "pack", release, "--pack-destination", str(scratch), "--ignore-scripts"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            command, cwd=scratch, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"npm pack {release} took over {TIMEOUT_SECONDS} s.") from error
    archive = next(scratch.glob("*.tgz"), None)
    if done.returncode != 0 or archive is None:
        raise FetchError(f"npm pack {release} failed:\n{done.stderr.strip()[-2000:]}")
    return archive


def unpack(archive: Path, target: Path) -> None:
    """Unpack the browser files of an npm archive, never outside of ``target``.

    :raises FetchError: if the archive is broken or contains an unsafe path.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if _is_wanted(member):
                    _unpack_member(tar, member, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FetchError(f"{archive.name} can't be unpacked: {error}") from error


def _is_wanted(member: tarfile.TarInfo) -> bool:
    browser_file = member.name.startswith(DIST) and not member.name.endswith(UNUSED)
    return member.isreg() and (browser_file or member.name in KEPT)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    parts = PurePosixPath(member.name).parts[1:]
    if ".." in parts or "\\" in member.name:
        raise FetchError(f"The archive has a file with an unsafe name: {member.name!r}.")
    source = tar.extractfile(member)
    if source is None:
        raise FetchError(f"The archive has no content for {member.name!r}.")
    path = target.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("wb") as copy:
        shutil.copyfileobj(source, copy)
