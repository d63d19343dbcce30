"""Files of sessions: JSON (pages, lists or lines), and a folder of Parquet files."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.repair import repaired
from lrnanalysis.tables.schema import SESSIONS, TABLES, Table
from lrnanalysis.tables.table_operations import own_columns, unify_item_categories
from lrnanalysis.tables.unmarked import unmarked_max_score

__all__ = ["OnError", "PageReader", "open_atomic", "read_folder", "write_folder", "write_records"]

OnError = Literal["raise", "skip"]

_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_OTHER_SUFFIXES = (".csv", ".tsv", ".xlsx", ".xls", ".parquet")
_LINES_SUFFIXES = (".jsonl", ".ndjson")
_STUDY = "study.json"

_NO_SESSIONS = "contains no sessions: expected pages or sessions of the Data API"
_TOO_DEEP = "nested too deeply to be sessions"

#: Records per page for the parser.
_PAGE = 100


class PageReader:
    """Reads JSON files of sessions as pages for the parser.

    Parameters
    ----------
    paths : list of Path
        Files, or folders in which every ``.json``, ``.jsonl`` and ``.ndjson`` file (also with
        ``.gz``) is read in order of its name.
    on_error : "raise" or "skip"
        What to do with a file or line that is not JSON or contains no sessions.

    Attributes
    ----------
    skipped : list of str
        What was skipped: file, line and reason.
    tokens, surrogates : Counter of str, int
        What was repaired, see `lrnanalysis.parse.repair.Repaired`.
    """

    def __init__(self, paths: Sequence[Path], on_error: OnError = "raise") -> None:
        if on_error not in ("raise", "skip"):
            raise ReadError(f'on_error is {on_error!r}: expects "raise" or "skip"')
        self._files = [file for path in paths for file in _files(path)]
        self._on_error = on_error
        self.skipped: list[str] = []
        self.tokens: Counter[str] = Counter()
        self.surrogates = 0

    def __iter__(self) -> Iterator[bytes]:
        documents = (document for file in self._files for document in self._documents(file))
        records = chain.from_iterable(documents)
        while page := list(islice(records, _PAGE)):
            yield b'{"data":[' + b",".join(page) + b"]}"

    def _documents(self, file: Path) -> Iterator[list[bytes]]:
        """The records of each document in a file: of the file, or of each line."""
        try:
            text = _content(file)
        except (OSError, EOFError) as error:
            self._problem(f"{file}: cannot be read ({type(error).__name__}: {error})")
            return
        by_line = _plain_name(file).endswith(_LINES_SUFFIXES)
        if not by_line:
            try:
                yield self._records(text)
            except _BrokenError as error:
                by_line = error.more_follows and b"\n" in text.strip()
                if not by_line:
                    self._problem(f"{file}: {error}")
        if by_line:
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    try:
                        yield self._records(line)
                    except _BrokenError as error:
                        self._problem(f"{file}, line {number}: {error}")

    def _records(self, text: bytes) -> list[bytes]:
        """The records of a page, of a list of sessions or pages, or of one session."""
        try:
            if not text.isascii():
                text.decode()
            return _records_of(text.strip())
        except msgspec.ValidationError:
            raise _BrokenError(_NO_SESSIONS) from None
        except UnicodeDecodeError as error:
            raise _BrokenError(f"not UTF-8 at byte {error.start}") from None
        except RecursionError:
            raise _BrokenError(_TOO_DEEP) from None
        except msgspec.DecodeError:
            pass
        fixed = repaired(text)
        try:
            found = _records_of(fixed.text.strip())
        except msgspec.ValidationError:
            raise _BrokenError(_NO_SESSIONS) from None
        except msgspec.DecodeError:
            raise _broken(text) from None
        self.tokens += fixed.tokens
        self.surrogates += fixed.surrogates
        return found

    def _problem(self, message: str) -> None:
        if self._on_error == "raise":
            raise ReadError(f'{message}; to skip and count such input, pass on_error="skip"')
        self.skipped.append(message)


@dataclass
class _BrokenError(Exception):
    message: str
    more_follows: bool = False

    def __str__(self) -> str:
        return self.message


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() in _OTHER_SUFFIXES:
            raise ReadError(
                f"{path} is not JSON: pass a {', '.join(_JSON_SUFFIXES)} file, plain or gzipped, "
                "or a folder, such as one written by to_parquet"
            )
        return [path]
    if not path.is_dir():
        raise ReadError(f"{path}: not found")
    found = sorted(
        file
        for file in path.iterdir()
        if file.is_file() and _plain_name(file).endswith(_JSON_SUFFIXES)
    )
    if not found:
        raise ReadError(f"{path}: contains no {', '.join(_JSON_SUFFIXES)} file, plain or gzipped")
    return found


def _plain_name(file: Path) -> str:
    return file.name.lower().removesuffix(".gz")


def _content(file: Path) -> bytes:
    text = file.read_bytes()
    # Recognised by its first bytes: downloads often lose or gain a ".gz".
    if text.startswith(b"\x1f\x8b"):
        text = gzip.decompress(text)
    return text.removeprefix(b"\xef\xbb\xbf")


_AS_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Document(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    session_id: msgspec.Raw = msgspec.Raw()


_AS_DOCUMENT = msgspec.json.Decoder(_Document)


def _broken(text: bytes) -> _BrokenError:
    """Say where a text stops being JSON, as the standard library does: by line and column."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        message = f"not JSON at line {error.lineno}, column {error.colno} ({error.msg})"
        return _BrokenError(message, more_follows=error.msg == "Extra data")
    except (ValueError, RecursionError):  # of Python's own limits
        pass
    return _BrokenError("not JSON")


def _records_of(text: bytes) -> list[bytes]:
    if text.startswith(b"["):
        members = [bytes(one) for one in _AS_LIST.decode(text)]
        return [
            record for one in members for record in (_records_of(one) if _is_page(one) else [one])
        ]
    document = _AS_DOCUMENT.decode(text)
    if len(document.data):
        return [bytes(one) for one in _AS_LIST.decode(document.data)]
    if len(document.session_id):
        return [text]
    raise msgspec.ValidationError


def _is_page(text: bytes) -> bool:
    return text.startswith(b"{") and len(_AS_DOCUMENT.decode(text).data) > 0


def write_records(path: Path, records: Iterator[bytes]) -> None:
    """Write a list of sessions, or one per line for ``.jsonl`` and ``.ndjson``; gzip for ``.gz``.

    The file appears complete or not at all.
    """
    by_line = _plain_name(path).endswith(_LINES_SUFFIXES)
    start, between, end = (b"", b"\n", b"\n") if by_line else (b"[", b",\n", b"]\n")
    with (
        open_atomic(path) as raw,
        gzip.open(raw, "wb") if path.name.endswith(".gz") else nullcontext(raw) as file,
    ):
        file.write(start)
        for number, record in enumerate(records):
            file.write(between + record if number else record)
        file.write(end)


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that replaces an older one when it is complete, and never otherwise."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as raw:
        unfinished = Path(raw.name)
        try:
            yield raw
            raw.close()
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def write_folder(
    folder: Path,
    frames: Mapping[str, pd.DataFrame],
    about: Mapping[str, Any],
    *,
    overwrite: bool,
) -> None:
    """Write one Parquet file per table, and everything else to ``study.json``.

    The folder appears complete or not at all.
    """
    if folder.exists() and not overwrite:
        raise ReadError(f"{folder} already exists: pass overwrite=True to replace it")
    if folder.exists() and any(folder.iterdir()) and not (folder / _STUDY).is_file():
        raise ReadError(f"{folder} is not a saved study: choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        own = {name: _own_dtypes(frames[name], table) for name, table in TABLES.items()}
        for name, frame in frames.items():
            coded = {
                column: frame[column].cat.codes
                for column, dtype in own.get(name, {}).items()
                if isinstance(dtype, dict)
            }
            _write_frame(unfinished / f"{name}.parquet", frame.assign(**coded))
        (unfinished / _STUDY).write_bytes(msgspec.json.encode({**about, "own": own}))
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.chmod(0o755)
        unfinished.replace(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _own_dtypes(frame: pd.DataFrame, table: Table) -> dict[str, Any]:
    """The dtypes of the user's columns: the name, or the categories where they are numbers."""
    dtypes: dict[str, Any] = {}
    for name in own_columns(frame, table):
        dtype = frame[name].dtype
        if not isinstance(name, str):
            raise ReadError(
                f"the name of column {name!r} of {table.name} is not text: rename it, such as to "
                f"'column_{name}'"
            )
        if not isinstance(dtype, pd.CategoricalDtype):
            dtypes[name] = str(dtype)
        elif dtype.categories.dtype.kind in "iufb":
            # Parquet has categories of text only.
            dtypes[name] = {
                "categories": dtype.categories.to_list(),
                "dtype": str(dtype.categories.dtype),
                "ordered": bool(dtype.ordered),
            }
    return dtypes


def _write_frame(path: Path, frame: pd.DataFrame) -> None:
    frame = frame.reset_index(drop=True)
    try:
        frame.to_parquet(path, index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        for name in frame:
            try:
                frame[[name]].to_parquet(BytesIO())
            except (pa.ArrowException, TypeError, ValueError):
                reason = f"column {name!r} ({frame[name].dtype}) holds what Parquet cannot store"
                raise ReadError(
                    f'{path.stem}: {reason}; drop it or convert it, such as with astype("str")'
                ) from error
        raise ReadError(f"{path.stem}: cannot be stored as Parquet ({error})") from error


def read_folder(folder: Path) -> tuple[dict[str, pd.DataFrame], dict[str, Any]] | None:
    """Read what `write_folder` wrote; None if the folder is not a saved study."""
    if not (folder / _STUDY).is_file():
        return None
    about: dict[str, Any] = json.loads((folder / _STUDY).read_bytes())
    own = about.pop("own", {})
    frames = {}
    for file in sorted(folder.glob("*.parquet")):
        try:
            frame = pd.read_parquet(file)
        except (OSError, ValueError) as error:
            raise ReadError(f"{file}: not a readable Parquet file ({error})") from error
        if file.stem in TABLES:
            frame = _with_dtypes(frame, TABLES[file.stem], own.get(file.stem, {}))
        frames[file.stem] = frame
    missing = [name for name in TABLES if name not in frames]
    if missing:
        raise ReadError(f"{folder}: {', '.join(f'{name}.parquet' for name in missing)} not found")
    if frames["sessions"]["unmarked_max_score"].isna().any():
        # Written before there was such a column.
        tables = (frames[name] for name in ("sessions", "responses", "items"))
        frames["sessions"]["unmarked_max_score"] = unmarked_max_score(*tables)
    unify_item_categories(frames)
    return frames, about


def _with_dtypes(frame: pd.DataFrame, table: Table, own: Mapping[str, Any]) -> pd.DataFrame:
    # Saved before there were these columns.
    if table is SESSIONS and "unmarked_max_score" not in frame:
        frame = frame.assign(unmarked_max_score=np.nan)
    if "presence" not in frame:
        frame = frame.assign(presence=pd.Categorical([None] * len(frame)))
    missing = [column.name for column in table.columns if column.name not in frame]
    if missing:
        raise ReadError(f"{table.name}.parquet has no column {', '.join(missing)}")
    kinds = {
        column.name: column.dtype
        for column in table.columns
        if str(frame[column.name].dtype) != column.dtype
    }
    frame = frame.astype(kinds)
    for column in table.columns:
        if column.kind == "label":
            # The categories of an empty column come back without a type.
            labels = frame[column.name].cat
            dtype = pd.CategoricalDtype(labels.categories.astype("str"))
            frame[column.name] = pd.Categorical.from_codes(labels.codes, dtype=dtype)
    for name, saved in own.items():
        if isinstance(saved, dict):
            categories = pd.Index(saved["categories"], dtype=saved["dtype"])
            dtype = pd.CategoricalDtype(categories, ordered=saved["ordered"])
            frame[name] = pd.Categorical.from_codes(frame[name], dtype=dtype)
        elif str(frame[name].dtype) != saved and saved != "category":
            frame[name] = frame[name].astype(saved)
    return frame[[*table.names, *(name for name in frame if name not in table.names)]]
