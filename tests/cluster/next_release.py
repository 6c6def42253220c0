"""A release to come: this package in a folder of its own, with one migration more."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_MIGRATIONS = Path("autoscaler/store/migrations/versions")
_SHIPPED = ("models", "operator", "dashboards")

_MIGRATION = '''"""A remark for decisions and states, and a table of its own: all that a migration may do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("remark", sa.Text(), nullable=True))
    op.add_column("states", sa.Column("remark", sa.Text(), nullable=True))
    op.create_table("remarks", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_index("ix_decisions_remark", "decisions", ["remark"])
    # As long as it would take with many more rows, with all of its locks.
    op.execute("SELECT pg_sleep({locked_s})")
'''


@dataclass(frozen=True, slots=True)
class NextRelease:
    """revision: of its tables. launcher: what runs Python with this package instead of the one under test."""

    revision: str
    launcher: tuple[str, ...]


def make_next_release(folder: Path, locked_s: float) -> NextRelease:
    """Copy the package into `folder`, which must not be there, and give it a migration that lasts so long."""
    shutil.copytree(_ROOT / "autoscaler", folder / "autoscaler", ignore=shutil.ignore_patterns("__pycache__"))
    for name in _SHIPPED:
        (folder / name).symlink_to(_ROOT / name)
    before = newest_revision()
    revision = f"{int(before) + 1:04}"
    text = _MIGRATION.format(revision=revision, before=before, locked_s=locked_s)
    (folder / _MIGRATIONS / f"{revision}_remarks.py").write_text(text)
    # Otherwise Python would look into the working folder first, which holds the package under test.
    return NextRelease(revision, ("env", "PYTHONSAFEPATH=1", f"PYTHONPATH={folder}"))


def newest_revision() -> str:
    """Of the tables of the package under test."""
    return max(file.name for file in (_ROOT / _MIGRATIONS).glob("[0-9]*.py")).partition("_")[0]
