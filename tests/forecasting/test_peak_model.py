"""Model files: what is written is read back, and what was tampered with is refused with a reason."""

import hashlib
import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import ROUNDS, small_files, small_lessons, small_model

from autoscaler.forecasting.peaks.model import MANIFEST, UnusableModel, read_model
from autoscaler.forecasting.peaks.training import LEVELS, train

FOREST = "q500.txt"


def with_forest(text: str) -> dict[str, bytes]:
    """The small model with another median forest and, as a forger would, the right checksum."""
    files = dict(small_files())
    files[FOREST] = text.encode("utf-8")
    manifest = json.loads(files[MANIFEST])
    for entry in manifest["forests"]:
        if entry["file"] == FOREST:
            entry["sha256"] = hashlib.sha256(files[FOREST]).hexdigest()
    files[MANIFEST] = json.dumps(manifest).encode()
    return files


def only_forest(text: str) -> dict[str, bytes]:
    """A model of this forest alone."""
    content = text.encode("utf-8")
    entry = {"level": 0.5, "file": FOREST, "sha256": hashlib.sha256(content).hexdigest()}
    return {**with_manifest(forests=[entry]), FOREST: content}


def with_manifest(**changes: object) -> dict[str, bytes]:
    files = dict(small_files())
    files[MANIFEST] = json.dumps({**json.loads(files[MANIFEST]), **changes}).encode()
    return files


def first_tree_with(key: str, change: Callable[[list[str]], list[str]]) -> str:
    """The median forest with one line of its first tree changed."""
    head, mark, tail = small_files()[FOREST].decode().partition(f"\n{key}=")
    line, rest = tail.split("\n", 1)
    return f"{head}{mark}{' '.join(change(line.split()))}\n{rest}"


def test_the_model_that_was_written_is_the_one_that_is_read() -> None:
    model = small_model()
    assert tuple(model.levels) == LEVELS
    assert model.clues == small_lessons().names
    surplus = model.surplus(small_lessons().table[:50])
    assert surplus.shape == (50, len(LEVELS))
    assert np.ptp(surplus[:, 4]) > 0


def test_training_again_gives_the_same_bytes() -> None:
    assert train(small_lessons(), {"trained_on": []}, rounds=ROUNDS) == small_files()


def test_another_seed_gives_other_trees() -> None:
    assert train(small_lessons(), {"trained_on": []}, seed=8, rounds=ROUNDS)[FOREST] != small_files()[FOREST]


def test_no_rows_give_no_answers() -> None:
    assert small_model().surplus(small_lessons().table[:0]).shape == (0, len(LEVELS))


MANIFESTS = {
    "another format": ({"format": 99}, "format 99"),
    "no clues": ({"clues": None}, "clues must be"),
    "no forests": ({"forests": []}, "1 to 32"),
    "no list": ({"forests": {"a": 1}}, "1 to 32"),
    "an entry without a level": ({"forests": [{"file": "x", "sha256": "y"}]}, "level within"),
    "a level that is none": ({"forests": [{"level": 1.5, "file": "x", "sha256": "y"}]}, "level within"),
    "a path out of the folder": (
        {"forests": [{"level": 0.5, "file": "../../etc/passwd", "sha256": "y"}]},
        "each forest needs",
    ),
    "other clues": ({"clues": ["one"]}, "not made for 1 columns"),
}


@pytest.mark.parametrize(("changes", "reason"), MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_manifest_that_is_not_ours_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UnusableModel, match=reason):
        read_model(with_manifest(**changes))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null"])
def test_a_manifest_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableModel, match="manifest"):
        read_model({**small_files(), MANIFEST: content})


def test_without_a_manifest_or_a_forest_there_is_no_model() -> None:
    for missing in (MANIFEST, FOREST):
        with pytest.raises(UnusableModel, match="missing"):
            read_model({name: content for name, content in small_files().items() if name != missing})


def test_files_larger_than_a_model_can_be_are_refused_before_they_are_read() -> None:
    with pytest.raises(UnusableModel, match="larger than"):
        read_model({**small_files(), "more": bytes(5_000_001)})


def test_a_forest_that_was_cut_off_or_edited_is_refused() -> None:
    whole = small_files()[FOREST]
    for other in (whole[:-100], whole.replace(b"leaf_value=", b"leaf_value=9", 1), b""):
        with pytest.raises(UnusableModel, match="sha256"):
            read_model({**small_files(), FOREST: other})


FORGERIES: dict[str, Callable[[], str]] = {
    "a clue there is not": lambda: first_tree_with("split_feature", lambda old: ["9999", *old[1:]]),
    "a negative clue": lambda: first_tree_with("split_feature", lambda old: ["-1", *old[1:]]),
    "a branch out of the tree": lambda: first_tree_with("left_child", lambda old: ["100000", *old[1:]]),
    "a leaf out of the tree": lambda: first_tree_with("right_child", lambda old: ["-100000", *old[1:]]),
    "a branch to itself": lambda: first_tree_with("left_child", lambda old: ["0", *old[1:]]),
    "more leaves than there are": lambda: first_tree_with("num_leaves", lambda _: ["200"]),
    "a million leaves": lambda: first_tree_with("num_leaves", lambda _: ["1000000"]),
    "splits by category": lambda: first_tree_with("decision_type", lambda old: ["1", *old[1:]]),
    "categories": lambda: first_tree_with("num_cat", lambda _: ["3"]),
    "a value beyond all bounds": lambda: first_tree_with("leaf_value", lambda old: ["1e300", *old[1:]]),
    "a value that is no number": lambda: first_tree_with("leaf_value", lambda old: ["nan", *old[1:]]),
    "too few values": lambda: first_tree_with("leaf_value", lambda old: old[1:]),
    "words for numbers": lambda: first_tree_with("threshold", lambda old: ["x", *old[1:]]),
    "a number beyond all": lambda: first_tree_with("split_feature", lambda old: ["9" * 30, *old[1:]]),
    "digits that only Python joins": lambda: first_tree_with("left_child", lambda old: ["0_1", *old[1:]]),
    "tabs, which only Python splits at": lambda: first_tree_with("left_child", lambda old: ["\t".join(old)]),
    "separators of other ages": lambda: first_tree_with("left_child", lambda old: ["\x1f".join(old)]),
    "a line end of its own": lambda: small_files()[FOREST].decode().replace("\nleft_child", "\rleft_child"),
    "several outputs": lambda: first_tree_with("num_class", lambda _: ["3"]),
    "sizes to be trusted": lambda: small_files()[FOREST].decode().replace("version", "tree_sizes=9\nversion"),
    "a line twice": lambda: small_files()[FOREST].decode().replace("num_cat=0", "num_cat=0\nnum_cat=0", 1),
    "something after the end": lambda: small_files()[FOREST].decode() + "parameters:\n",
    "no end": lambda: small_files()[FOREST].decode().replace("end of trees", "", 1),
    "trees out of order": lambda: small_files()[FOREST].decode().replace("Tree=1\n", "Tree=7\n", 1),
    "letters beyond ASCII": lambda: small_files()[FOREST].decode() + "é",
    "nothing": lambda: "",
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_forest_is_refused_although_its_checksum_is_right(forged: Callable[[], str]) -> None:
    with pytest.raises(UnusableModel, match=FOREST):
        read_model(with_forest(forged()))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10**9), letter=st.sampled_from(list("0123456789-. =\nx")))
def test_whatever_letter_is_changed_the_model_is_refused_or_answers_in_bounds(
    place: int, letter: str
) -> None:
    text = small_files()[FOREST].decode()
    at = place % len(text)
    try:
        model = read_model(only_forest(text[:at] + letter + text[at + 1 :]))
    except UnusableModel:
        return
    assert np.isfinite(model.surplus(small_lessons().table[:20])).all()
