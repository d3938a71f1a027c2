"""What the local Customer.io keeps: profiles, and who is in which manual segment."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Profile:
    """One profile: what it goes by."""

    cio_id: str
    id: str | None = None
    email: str | None = None


@dataclass
class Workspace:
    """Profiles and manual segments. `invented` are the ids for which a profile had to be made.

    Attributes:
        data_driven: segments that nobody can write.
        gone: segments that were deleted.
        unfinished: segments that are being built.
        keys: the site id and its key that are let in; None for any.
        app_key: the key of the App API that is let in; None for any.
    """

    profiles: list[Profile] = field(default_factory=list)
    segments: dict[int, set[str]] = field(default_factory=dict)
    invented: list[str] = field(default_factory=list)
    sent: list[tuple[str, int, str, tuple[str, ...]]] = field(default_factory=list)
    data_driven: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    unfinished: set[int] = field(default_factory=set)
    keys: tuple[str, str] | None = None
    app_key: str | None = None

    def find(self, id_type: str, value: str) -> Profile | None:
        """The profile that goes by this."""
        wanted = value.casefold() if id_type == "email" else value
        for profile in self.profiles:
            held = getattr(profile, id_type)
            if held is not None and (held.casefold() if id_type == "email" else held) == wanted:
                return profile
        return None

    def change(self, action: str, segment: int, id_type: str, ids: list[str]) -> None:
        """Add to a segment, or remove from it; an unknown id becomes a profile."""
        known = {getattr(p, id_type): p for p in self.profiles}
        members = self.segments.setdefault(segment, set())
        self.sent.append((action, segment, id_type, tuple(ids)))
        for value in ids:
            profile = known.get(value) or self.find(id_type, value)
            if profile is None:
                self.invented.append(value)
                profile = Profile(f"made{len(self.profiles):08x}", **{id_type: value})
                self.profiles.append(profile)
            if action == "add_customers":
                members.add(profile.cio_id)
            else:
                members.discard(profile.cio_id)

    def merge(self, kept: str, merged: str) -> None:
        """The kept profile takes over the manual segments of the other, which is no more."""
        for members in self.segments.values():
            if merged in members:
                members.discard(merged)
                members.add(kept)
        self.profiles = [profile for profile in self.profiles if profile.cio_id != merged]

    def delete(self, cio_id: str) -> None:
        """Forget a profile and where it was."""
        for members in self.segments.values():
            members.discard(cio_id)
        self.profiles = [profile for profile in self.profiles if profile.cio_id != cio_id]
