"""Inputs whose first number is no batch, told by what consumes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jetbench.nets.inputs import Input
    from jetbench.nets.spec import LayerSpec

_ROI_COLUMNS = 5
_IM_INFO_COLUMNS = 3
_BOX_COLUMNS = 8  # SSD's ground truth: item, label, instance, four corners, difficult
_IMAGE_SIZE = "holds an image's size"


def sides_of(inputs: Sequence[Input], layers: Iterable[LayerSpec]) -> dict[str, str]:
    """The inputs whose first number is no batch, and why not."""
    users: dict[str, set[tuple[str, int]]] = {one.name: set() for one in inputs}
    for layer in layers:
        for place, blob in enumerate(layer.bottoms):
            if blob in users:
                users[blob].add((layer.kind, place))
    return {one.name: why for one in inputs if (why := _side(one, users[one.name]))}


def _side(one: Input, users: Iterable[tuple[str, int]]) -> str | None:
    """Why the first number of an input is no batch, or None where it may be one.

    Args:
        one: The input.
        users: What reads it, and as which of its bottoms.
    """
    if one.is_data or one.shape is None:
        return None
    if not one.shape:
        return "is a single number"
    regions = any("roi" in kind and place > 0 for kind, place in users)
    if _ROI_COLUMNS in one.shape[1:2] and (regions or one.name == "rois"):
        return "lists regions, not images"
    if one.shape[:2] == (1, 1) and one.shape[3:] == (_BOX_COLUMNS,) and one.name == "label":
        return "lists boxes of objects, not images"
    proposals = any("proposal" in kind or kind == "python" for kind, place in users if place)
    if one.shape[1:] == (_IM_INFO_COLUMNS,) and (proposals or one.name == "im_info"):
        return _IMAGE_SIZE
    return None


def refuse_sizes(inputs: Iterable[Input], sides: Mapping[str, str], after: int) -> None:
    """Refuse another batch beside the sizes of its images, of which there must be as many.

    Raises:
        ModelError: There is such an input.
    """
    for one in inputs:
        size = sides.get(one.name) == _IMAGE_SIZE
        if size and one.shape is not None and (after, one.shape[0]) != (1, 1):
            message = f"the input {one.name!r} holds the size of each image of the batch"
            raise one.wrong(message, "Measure this net at batch 1.")
