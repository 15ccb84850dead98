"""The tables of the library, for SQLite and PostgreSQL alike. Migrations in `migrations/` make them.

Times are seconds since 1970 (UTC) as floats: both databases order and compare them quickly. A `library` is what one
group of keys shares; rows of another library do not exist for them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 - SQLAlchemy's own way


class Meta(Base):
    """Single values of the installation, e.g. its secrets."""

    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class ApiKey(Base):
    """A key; only its hash is kept."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    library: Mapped[str] = mapped_column(String(40), default="main")
    scopes: Mapped[list[Any]] = mapped_column()
    max_in_flight: Mapped[int | None] = mapped_column(Integer)
    daily: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[float] = mapped_column(Float)
    used_at: Mapped[float | None] = mapped_column(Float)
    revoked_at: Mapped[float | None] = mapped_column(Float)


class StoredFile(Base):
    """A file that has an address: an upload, a reference, a mask, a result, a thumbnail."""

    __tablename__ = "files"
    __table_args__ = (Index("files_sha256", "sha256"), Index("files_expires", "expires_at"))
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    library: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), default="")
    purpose: Mapped[str] = mapped_column(String(16))
    fingerprint: Mapped[str] = mapped_column(String(16), default="")
    notes: Mapped[list[Any]] = mapped_column()
    created_at: Mapped[float] = mapped_column(Float)
    expires_at: Mapped[float | None] = mapped_column(Float)


class PortrayalRow(Base):
    """One job, and what became of it."""

    __tablename__ = "portrayals"
    __table_args__ = (
        UniqueConstraint("library", "key_id", "idempotency_key", name="portrayals_idempotency"),
        Index("portrayals_library", "library", "id"),
        Index("portrayals_state", "state", "round"),
        Index("portrayals_key", "key_id", "state"),
        Index("portrayals_key_created", "key_id", "created_at"),
        Index("portrayals_starred", "library", "starred", "id"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    library: Mapped[str] = mapped_column(String(40))
    key_id: Mapped[str] = mapped_column(String(26), default="")
    dialect: Mapped[str] = mapped_column(String(20))
    operation: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    priority: Mapped[int] = mapped_column(Integer, default=1)
    round: Mapped[int] = mapped_column(Integer, default=1)
    prompt: Mapped[str] = mapped_column(Text)
    order: Mapped[dict[str, Any]] = mapped_column()
    wire: Mapped[dict[str, Any]] = mapped_column()
    num_images: Mapped[int] = mapped_column(Integer)
    warnings: Mapped[list[Any]] = mapped_column()
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    result: Mapped[dict[str, Any]] = mapped_column()
    starred: Mapped[bool] = mapped_column(default=False)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    idempotency_hash: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[float] = mapped_column(Float)
    started_at: Mapped[float | None] = mapped_column(Float)
    completed_at: Mapped[float | None] = mapped_column(Float)


class RunRow(Base):
    """What changes often while a job is made: who makes it, how far it is, whether it shall stop."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    owner: Mapped[str] = mapped_column(String(120), default="")
    cancel: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    progress: Mapped[str] = mapped_column(Text, default="")


class WorkerRow(Base):
    """A living worker and its last sign of life (the database's clock)."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen: Mapped[float] = mapped_column(Float)
    slots: Mapped[int] = mapped_column(Integer, default=1)


class PictureRow(Base):
    """One finished picture; its id is that of its file."""

    __tablename__ = "pictures"
    __table_args__ = (UniqueConstraint("portrayal_id", "position", name="pictures_position"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    portrayal_id: Mapped[str] = mapped_column(ForeignKey("portrayals.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    score: Mapped[float | None] = mapped_column(Float)
    data: Mapped[dict[str, Any]] = mapped_column()  # a `JobPicture`, whole


class SourceRow(Base):
    """Which files, pictures and characters a portrayal was made from."""

    __tablename__ = "sources"
    __table_args__ = (Index("sources_picture", "picture"), Index("sources_character", "character"))
    portrayal_id: Mapped[str] = mapped_column(ForeignKey("portrayals.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    picture: Mapped[str] = mapped_column(String(26), default="")
    character: Mapped[str] = mapped_column(String(36), default="")


class TagRow(Base):
    """A tag of a portrayal."""

    __tablename__ = "tags"
    __table_args__ = (Index("tags_tag", "library", "tag", "portrayal_id"),)
    portrayal_id: Mapped[str] = mapped_column(ForeignKey("portrayals.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(60), primary_key=True)
    library: Mapped[str] = mapped_column(String(40))


class SearchRow(Base):
    """What a portrayal is found by; `portrayal.service.search` writes and reads it.

    Attributes:
        number: of the id, on SQLite: the row of the full-text table `search_fts`, which triggers keep.
        words: the words and marks; text for FTS5, a tsvector on PostgreSQL.
    """

    __tablename__ = "search"
    __table_args__ = (
        Index("search_library", "library", "portrayal_id"),
        Index("search_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    )
    portrayal_id: Mapped[str] = mapped_column(ForeignKey("portrayals.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    library: Mapped[str] = mapped_column(String(40))
    words: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))


class WordRow(Base):
    """A word of four and more letters that some portrayal has; see `portrayal.service.search.expanded`. SQLite only."""

    __tablename__ = "search_terms"
    word: Mapped[str] = mapped_column(String(64), primary_key=True)


class CharacterRow(Base):
    """A saved character; `card` is the card of `portrayal.character.card`, whole."""

    __tablename__ = "characters"
    __table_args__ = (
        UniqueConstraint("library", "name_key", name="characters_name"),
        Index("characters_library", "library", "id"),
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    library: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    name_key: Mapped[str] = mapped_column(String(80))
    notes: Mapped[str] = mapped_column(Text, default="")
    card: Mapped[dict[str, Any]] = mapped_column()
    reference_sha256: Mapped[str] = mapped_column(String(64))
    mask_sha256: Mapped[str | None] = mapped_column(String(64))  # of the version in use
    thumbnail_sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float] = mapped_column(Float)
    updated_at: Mapped[float] = mapped_column(Float)


class EventRow(Base):
    """What happened to a job, kept so that a reader who lost the line can go on where he was."""

    __tablename__ = "events"
    __table_args__ = (Index("events_portrayal", "portrayal_id", "id"), Index("events_created", "created_at"))
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    portrayal_id: Mapped[str] = mapped_column(String(26))
    library: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(20))
    data: Mapped[dict[str, Any]] = mapped_column()
    created_at: Mapped[float] = mapped_column(Float)


class DeliveryRow(Base):
    """One webhook message: to whom, and whether it arrived."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("portrayal_id", "event", name="deliveries_event"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    portrayal_id: Mapped[str] = mapped_column(String(26))
    event: Mapped[str] = mapped_column(String(40))
    dialect: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[float] = mapped_column(Float)
    delivered_at: Mapped[float | None] = mapped_column(Float)
