"""Who looks through files for malware, as the settings say."""

from dataclasses import dataclass

from laydown.domain.scanning import NOBODY
from laydown.scanners.address import ScannerAddress, ScannerKind, parse_address
from laydown.scanners.clamav import ClamAv
from laydown.settings import PREFIX, BadSettings, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """A scanner that is asked, or one that tells; or neither, where nobody looks."""

    scanner: ClamAv | None
    awaits_verdicts: bool


def scanning_of(settings: Settings) -> Scanning:
    """Return who looks; raises `BadSettings` for what is no scanner, or can't tell us."""
    address = _address(settings)
    match address.kind:
        case ScannerKind.NONE:
            return Scanning(scanner=None, awaits_verdicts=False)
        case ScannerKind.CLAMAV:
            return Scanning(scanner=ClamAv(address), awaits_verdicts=False)
        case ScannerKind.GUARDDUTY:
            if settings.notices is None:
                raise BadSettings(
                    f"{PREFIX}SCANNER is guardduty, whose results come with a queue: name it with "
                    f"{PREFIX}NOTICES"
                )
            return Scanning(scanner=None, awaits_verdicts=True)


def _address(settings: Settings) -> ScannerAddress:
    try:
        return parse_address(settings.scanner or NOBODY)
    except ValueError as error:
        raise BadSettings(f"{PREFIX}SCANNER: {error}") from None
