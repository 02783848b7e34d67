"""What stands beside the code keeps secrets, too: ignore files, the image, the way it is served."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.pure
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", [".gitignore", ".dockerignore"])
def test_the_filled_in_environment_stays_out_of_the_repository_and_the_image(name: str) -> None:
    ignored = (ROOT / name).read_text(encoding="utf-8").splitlines()

    assert {".env", ".env.*", "!.env.example"} <= set(ignored)


def test_the_web_server_writes_no_access_log_for_addresses_let_people_in() -> None:
    served = [
        (ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "docker-compose.yml", "docs/operators.md")
    ]

    assert all("--access-logfile" not in text and "access_log_format" not in text for text in served)
    assert "gunicorn" in shlex.split(served[0].split("CMD", 1)[1].strip(" []\n").replace(",", " "))
