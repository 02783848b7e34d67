"""What all tests share: the data beside the project, and an environment of their own."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def absent(what: str) -> None:
    """Skip and say so; on CI a missing part is a failure, never a quiet pass."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it.")
    pytest.skip(f"{what} is missing: this test did not run.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with third-party data that lies beside the project, if it is there."""
    if not SHARED_DATA.is_dir():
        absent("../shared/data")
    return SHARED_DATA
