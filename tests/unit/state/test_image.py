from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import StoreError
from livepost.state.image import MARK, Images


def written(images: Images, name: str, pieces: list[bytes]) -> Path:
    image = images.begin(name, b"of Monday")
    for piece in pieces:
        image.write(piece)
    image.finish()
    assert image.synced(wait=True)
    image.close()
    return images.folder / name


def test_an_image_gives_what_it_was_given_in_order(tmp_path: Path) -> None:
    images = Images(tmp_path / "images")
    pieces = [b"ada", b"bob" * 100_000, b"\x00"]
    path = written(images, "one", pieces)
    assert (images.about("one"), list(images.pieces("one"))) == (b"of Monday", pieces)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_image_cut_anywhere_is_refused(tmp_path: Path) -> None:
    images = Images(tmp_path)
    path = written(images, "one", [b"ada", b"bob"])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match="expected a whole image of people"):
            list(images.pieces("one"))


def test_a_byte_that_has_rotted_is_found(tmp_path: Path) -> None:
    images = Images(tmp_path)
    path = written(images, "one", [b"ada", b"bob"])
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with pytest.raises(StoreError, match="expected a whole image of people"):
            list(images.pieces("one"))


def test_a_length_that_no_piece_has_is_rot_and_nothing_is_read_for_it(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(MARK + b"\xff" * 8)
    with pytest.raises(StoreError, match="a piece of 4294967295 bytes"):
        Images(tmp_path).about("one")


def test_older_images_go_and_the_one_kept_can_be_in_another_folder_too(tmp_path: Path) -> None:
    images = Images(tmp_path / "images")
    for name in ("one", "two"):
        written(images, name, [name.encode()])
    images.link("two", tmp_path / "copy")
    images.keep_only("two")
    assert [path.name for path in images.folder.iterdir()] == ["two"]
    images.keep_only("")
    assert list(Images(tmp_path / "copy").pieces("two")) == [b"two"]


def test_an_image_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(b"no folder")
    with pytest.raises(StoreError, match="could not be written"):
        Images(tmp_path / "images").begin("one", b"")
    with pytest.raises(StoreError, match="could not be written"):
        Images(tmp_path).link("nowhere", tmp_path / "copy")
