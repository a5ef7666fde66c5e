"""What an impact means, in words for whoever decides. Pure."""

from __future__ import annotations

from approvals.impact.content import Change, Content, Lock, Size

DOING = {"inserted": "Adds", "updated": "Changes", "deleted": "Deletes"}
CAUSES = {
    "statement": "the statement itself",
    "partition": "a partition of what the statement names",
    "foreign-key": "carried on by a foreign key",
    "trigger": "done by a trigger",
}
# The weakest first (PostgreSQL documentation, 13.3.1), with what others cannot do meanwhile.
LOCK_MODES = {
    "AccessShareLock": "only DROP, TRUNCATE and most of ALTER TABLE wait",
    "RowShareLock": "only changes of the definition and exclusive locks wait",
    "RowExclusiveLock": "others read and write on; who changes the same rows waits",
    "ShareUpdateExclusiveLock": "others read and write on; changes of the definition and VACUUM wait",
    "ShareLock": "others read on; every write waits",
    "ShareRowExclusiveLock": "others read on; every write waits",
    "ExclusiveLock": "others only read; every write waits",
    "AccessExclusiveLock": "everybody else waits, readers too",
}
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def bound_of(rows: int) -> int:
    """How many rows a run may change that was approved when it changed `rows`: a tenth more, and none where it was none."""
    return rows + -(-rows // 10)


def lock_rank(mode: str) -> int:
    """Higher is stronger; a mode that is not known counts as the strongest."""
    modes = list(LOCK_MODES)
    return modes.index(mode) if mode in modes else len(modes)


def blocks(lock: Lock) -> str:
    return LOCK_MODES.get(lock.mode, "others may wait")


def mode_in_words(mode: str) -> str:
    """`AccessExclusiveLock` as PostgreSQL's documentation writes it: `ACCESS EXCLUSIVE`."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
    return words.strip().upper()


def sentence(content: Content, estimated_rows: int | None = None) -> str:
    """The one that a reviewer reads first."""
    if content.failure is not None:
        return f"Would fail: {content.failure.sentence}"
    if content.reads_only:
        return f"Only reads, and changes nothing{_about(estimated_rows, ': it reads about')}."
    if not content.tried:
        return f"Was not tried out{_about(estimated_rows, '; the planner expects about', ' to change')}."
    return _tried(content)


def _about(rows: int | None, before: str, after: str = "") -> str:
    return "" if rows is None else f"{before} {counted(rows)}{after}"


def _tried(content: Content) -> str:
    if content.truncated:
        return f"Empties {_listed([_with_size(name, content) for name in content.truncated])}."
    own = [change for change in content.changes if change.cause in ("statement", "partition")]
    others = [change for change in content.changes if change.cause not in ("statement", "partition")]
    parts = _own_changes(own, content)
    if not parts and content.defines:
        return _definition(content)
    if not parts and not others:
        return f"Changes no row{f' of {_listed(list(content.targets))}' if content.targets else ''} as things stand."
    if others:
        rows, where = sum(change.rows for change in others), len({change.qualified for change in others})
        parts.append(f"with it {counted(rows)} of {where} other {'relation' if where == 1 else 'relations'}")
    return f"{_listed(parts)}."


def _own_changes(own: list[Change], content: Content) -> list[str]:
    """Partitions of one relation, and inheriting relations, are told as the relation that the statement names."""
    whole = content.targets[0] if len(content.targets) == 1 and len(own) > 1 else ""
    parts: list[str] = []
    for number, what in DOING.items():
        counts: dict[str, int] = {}
        for change in own:
            name = whole or change.qualified
            counts[name] = counts.get(name, 0) + getattr(change, number)
        for name, rows in counts.items():
            if rows:
                doing = what.lower() if parts else what
                parts.append(_one_change(doing, rows, name, content, number != "inserted"))
    return parts


def _one_change(what: str, rows: int, name: str, content: Content, has_share: bool) -> str:
    size = content.size_of(name)
    if not has_share or size is None or size.rows is None:
        preposition = "of" if has_share else "to"
        return f"{what} {counted(rows)} {preposition} {name}"
    total = max(size.rows, rows)
    return f"{what} {rows:,} of {'' if size.exact else 'about '}{counted(total)} of {name} ({share(rows, total)})"


def _definition(content: Content) -> str:
    touched = [size.qualified for size in content.sizes if size.qualified in content.targets]
    if not touched:
        return "Changes definitions, and no rows."
    how = " and writes it anew, whole" if content.rewritten else ""
    return f"Changes the definition of {_listed([_with_size(name, content) for name in touched])}{how}."


def _with_size(name: str, content: Content) -> str:
    size = content.size_of(name)
    return name if size is None else f"{name} ({in_words(size)})"


def in_words(size: Size) -> str:
    if size.rows is None:
        return readable_bytes(size.bytes)
    return f"{'' if size.exact else 'about '}{counted(size.rows)}, {readable_bytes(size.bytes)}"


def share(rows: int, total: int) -> str:
    """All and none are only said where they are so."""
    if not total or rows == total:
        return "all of them"
    percent = rows / total * 100
    if percent < 0.1:
        return "under 0.1 %"
    return f"{min(percent, 99.9):.1f} %" if percent < 10 or percent > 99 else f"{percent:.0f} %"


def counted(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def readable_bytes(number: int) -> str:
    size = float(number)
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{number} bytes"


def _listed(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
