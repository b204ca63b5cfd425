"""Every knob, read once from a mapping that is passed in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Self, get_args, get_type_hints

from laydown.domain.plan import S3_LARGEST_OBJECT, S3_LARGEST_PUT
from laydown.domain.policy import Policy
from laydown.domain.rates import Rate
from laydown.domain.scanning import NOBODY
from laydown.settings.knobs import Knobs
from laydown.variables import PREFIX, BadSettings, place_of, read

__all__ = ["CLIENT_SETTINGS", "PREFIX", "BadSettings", "Settings", "knobs"]

CLIENT_SETTINGS = frozenset({"url", "token"})
"""Read by the command line's client commands, beside these."""

_WEB = re.compile(r"https?://[^/\s?#]+(?:/[^\s?#]*)?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Settings(Knobs):
    """How this process is set up. Each field is the variable `LAYDOWN_<NAME>`."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], **overrides: Any) -> Self:  # noqa: ANN401 - fields
        """Read `LAYDOWN_*`; a name we do not know is an error, not a silence."""
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in env.items()
            if name.startswith(PREFIX)
        }
        known = knobs(cls)
        if unknown := sorted(given.keys() - known.keys() - CLIENT_SETTINGS):
            names = ", ".join(PREFIX + name.upper() for name in unknown)
            raise BadSettings(f"not settings: {names}; docs/reference/settings.md lists them")
        values: dict[str, Any] = {
            name: read(name, known[name][0], text) for name, text in given.items() if name in known
        }
        return cls(**(values | overrides)).checked()

    def checked(self) -> Self:
        """Return these settings, or raise `BadSettings` for values that can't work."""
        if not timedelta(minutes=2) <= self.url_life <= timedelta(minutes=15):
            raise BadSettings("LAYDOWN_URL_LIFE must be 2 to 15 minutes (120 to 900)")
        if self.upload_silence <= self.url_life:  # a file would expire while it may be sent
            raise BadSettings("LAYDOWN_UPLOAD_SILENCE must be more than LAYDOWN_URL_LIFE")
        if self.flush not in ("auto", "syncfs", "fsync"):
            raise BadSettings("LAYDOWN_FLUSH must be auto, syncfs or fsync")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise BadSettings("LAYDOWN_LOG_LEVEL must be debug, info, warning or error")
        if not 0 <= self.port <= 65535:  # noqa: PLR2004 - TCP's ports
            raise BadSettings("LAYDOWN_PORT must be 0 to 65535")
        if not 0 <= self.single_up_to <= S3_LARGEST_PUT:
            raise BadSettings(f"LAYDOWN_SINGLE_UP_TO must be 0 to {S3_LARGEST_PUT}")
        if not 0 <= self.largest_file <= S3_LARGEST_OBJECT:
            raise BadSettings(f"LAYDOWN_LARGEST_FILE must be 0 to {S3_LARGEST_OBJECT}")
        if self.oidc_skew > timedelta(minutes=5):
            raise BadSettings("LAYDOWN_OIDC_SKEW must be at most 5 minutes (300)")
        self._check_company()
        self._check_positive()
        self._check_frontier()
        _ = self.worker_page
        return self

    def _check_company(self) -> None:
        """Check what says how we speak to those around us."""
        if self.database_iam is not None and self.database_password is not None:
            raise BadSettings("either LAYDOWN_DATABASE_IAM or LAYDOWN_DATABASE_PASSWORD, not both")
        if not 0 <= self.trace_share <= 1:
            raise BadSettings("LAYDOWN_TRACE_SHARE must be 0 to 1")

    def _check_positive(self) -> None:
        for name in (
            "database_connections",
            "worker_slots",
            "worker_group",
            "body_buffer",
            "jobs_in_flight",
            "token_burst",
            "organization_burst",
            "open_batches",
            "event_streams",
            "event_streams_of_token",
        ):
            if getattr(self, name) < 1:
                raise BadSettings(f"{PREFIX}{name.upper()} must be at least 1")
        for name in ("token_rate", "organization_rate"):
            if getattr(self, name) < 0:
                raise BadSettings(f"{PREFIX}{name.upper()} must be 0 or more")
        for name, (kind, _) in knobs(type(self)).items():
            if name == "quarantine" and self.quarantine < timedelta(0):
                raise BadSettings("LAYDOWN_QUARANTINE must be 0 seconds or more")
            if name != "quarantine" and kind is timedelta and getattr(self, name) <= timedelta(0):
                raise BadSettings(f"{PREFIX}{name.upper()} must be more than 0 seconds")

    def _check_frontier(self) -> None:
        for network in self.proxies:
            try:
                ip_network(network)
            except ValueError as error:
                raise BadSettings(f"LAYDOWN_PROXIES: {error}") from None
        if self.otlp is not None and not _WEB.fullmatch(self.otlp):
            raise BadSettings(f"LAYDOWN_OTLP: {self.otlp!r}, not as http://127.0.0.1:4318")
        if wrong := [origin for origin in self.origins if not _ORIGIN.fullmatch(origin)]:
            raise BadSettings(f"LAYDOWN_ORIGINS: {wrong[0]!r}, not as https://portal.example")

    @property
    def worker_page(self) -> tuple[str, int] | None:
        """The host and the port at which a worker serves its pages; None: nowhere."""
        if self.worker_metrics is None:
            return None
        return place_of("worker_metrics", self.worker_metrics)

    @property
    def scanner_name(self) -> str:
        """The scanner as receipts name it."""
        return NOBODY if self.scanner is None else self.scanner.partition(":")[0]

    @property
    def rate_of_token(self) -> Rate | None:
        """How many requests a token may make; None: as many as it likes."""
        return Rate(self.token_rate, self.token_burst) if self.token_rate else None

    @property
    def rate_of_organization(self) -> Rate | None:
        """How many requests an organization may make; None: as many as it likes."""
        if not self.organization_rate:
            return None
        return Rate(self.organization_rate, self.organization_burst)

    @property
    def policy(self) -> Policy:
        """What these settings accept."""
        return Policy(
            junk=self.junk,
            refused_extensions=frozenset(self.refused_extensions),
            accept_empty=self.accept_empty,
            largest_file=self.largest_file,
            single_up_to=self.single_up_to,
            scanner=self.scanner_name,
            accept_unscanned=self.accept_unscanned,
            quarantine=self.quarantine,
        )


def knobs(settings: type[Settings] = Settings) -> Mapping[str, tuple[Any, str]]:
    """Return each setting's type and meaning by its name."""
    hints = get_type_hints(settings, include_extras=True)
    return {name: get_args(hint)[:2] for name, hint in hints.items()}
