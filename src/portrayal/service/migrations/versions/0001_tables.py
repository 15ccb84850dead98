"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_FULL_TEXT = (
    # The words come folded and parted by spaces: every letter outside of ASCII belongs to a word.
    "CREATE VIRTUAL TABLE search_fts USING fts5"
    "(words, content='search', content_rowid='number', tokenize='ascii', columnsize=0, prefix='1 2 3')",
    "CREATE TRIGGER search_added AFTER INSERT ON search BEGIN "
    "INSERT INTO search_fts(rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER search_removed AFTER DELETE ON search BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, words) VALUES ('delete', old.number, old.words); END",
    "CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, words) VALUES ('delete', old.number, old.words); "
    "INSERT INTO search_fts(rowid, words) VALUES (new.number, new.words); END",
)


def upgrade() -> None:
    """Make all tables."""
    _portrayals()
    _api_keys()
    _characters()
    _deliveries()
    _events()
    _files()
    _meta()
    _runs()
    _search_terms()
    _workers()
    _pictures()
    _search()
    _sources()
    _tags()


def _portrayals() -> None:
    op.create_table(
        "portrayals",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=26), nullable=False),
        sa.Column("dialect", sa.String(length=20), nullable=False),
        sa.Column("operation", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("wire", sa.JSON(), nullable=False),
        sa.Column("num_images", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("starred", sa.Boolean(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("idempotency_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("completed_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("library", "key_id", "idempotency_key", name="portrayals_idempotency"),
    )
    op.create_index("portrayals_key", "portrayals", ["key_id", "state"], unique=False)
    op.create_index("portrayals_key_created", "portrayals", ["key_id", "created_at"], unique=False)
    op.create_index("portrayals_library", "portrayals", ["library", "id"], unique=False)
    op.create_index("portrayals_starred", "portrayals", ["library", "starred", "id"], unique=False)
    op.create_index("portrayals_state", "portrayals", ["state", "round"], unique=False)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("max_in_flight", sa.Integer(), nullable=True),
        sa.Column("daily", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.Column("revoked_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )


def _characters() -> None:
    op.create_table(
        "characters",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("reference_sha256", sa.String(length=64), nullable=False),
        sa.Column("mask_sha256", sa.String(length=64), nullable=True),
        sa.Column("thumbnail_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", "library"),
        sa.UniqueConstraint("library", "name_key", name="characters_name"),
    )
    op.create_index("characters_library", "characters", ["library", "id"], unique=False)


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("dialect", sa.String(length=20), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("delivered_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portrayal_id", "event", name="deliveries_event"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_created", "events", ["created_at"], unique=False)
    op.create_index("events_portrayal", "events", ["portrayal_id", "id"], unique=False)


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("files_expires", "files", ["expires_at"], unique=False)
    op.create_index("files_sha256", "files", ["sha256"], unique=False)


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("cancel", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _search_terms() -> None:
    op.create_table(
        "search_terms", sa.Column("word", sa.String(length=64), nullable=False), sa.PrimaryKeyConstraint("word")
    )


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _pictures() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["portrayal_id"], ["portrayals.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portrayal_id", "position", name="pictures_position"),
    )
    op.create_index(op.f("ix_pictures_sha256"), "pictures", ["sha256"], unique=False)


def _search() -> None:
    op.create_table(
        "search",
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["portrayal_id"], ["portrayals.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("portrayal_id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("search_library", "search", ["library", "portrayal_id"], unique=False)
    if op.get_context().dialect.name == "postgresql":
        op.create_index("search_words", "search", ["words"], unique=False, postgresql_using="gin")
    else:
        for statement in _FULL_TEXT:
            op.execute(statement)


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("picture", sa.String(length=26), nullable=False),
        sa.Column("character", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["portrayal_id"], ["portrayals.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("portrayal_id", "position"),
    )
    op.create_index(op.f("ix_sources_sha256"), "sources", ["sha256"], unique=False)
    op.create_index("sources_character", "sources", ["character"], unique=False)
    op.create_index("sources_picture", "sources", ["picture"], unique=False)


def _tags() -> None:
    op.create_table(
        "tags",
        sa.Column("portrayal_id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("library", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["portrayal_id"], ["portrayals.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("portrayal_id", "tag"),
    )
    op.create_index("tags_tag", "tags", ["library", "tag", "portrayal_id"], unique=False)
