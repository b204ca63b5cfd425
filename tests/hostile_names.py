"""Names that have broken somebody's program, made by the reason why they did."""

import string
import unicodedata
from collections.abc import Iterator

SPACES = "".join(
    chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp")
)
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2066\u2067\u2068\u2069\u206a\u3164\ufe0f\ufeff\uffa0\U000e0001\U000e0041"
)
DEVICES = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"] + [
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"
]


def hostile_names() -> list[str]:
    """Return more than 700 different names, some of which are no text that can be encoded."""
    kinds = (
        _ways_out, _controls, _spaces, _invisible, _devices, _punctuation, _dots, _injected,
        _headers, _extensions, _values, _scripts, _lookalikes, _sizes, _no_text,
    )  # fmt: skip
    return list(dict.fromkeys(name for kind in kinds for name in kind()))


def _ways_out() -> Iterator[str]:
    """Out of the folder: every spelling of `..`, of a root and of another machine."""
    ups = "..|%2e%2e|%252e%252e|%c0%ae%c0%ae|.%2e|..%00|\uff0e\uff0e|\u2025|.. |..;|...|. ."
    slashes = "/ \\ %2f %5c %252f %c0%af \u2215 \uff0f"
    for up in ups.split("|"):
        yield up
        for slash in slashes.split():
            yield f"{up}{slash}{up}{slash}out.txt"
    roots = r"/ // \\host\share\ C: C:\ c:/ file:/// ~/ ~root/ /dev/ \\?\C:\ \\.\pipe\ $HOME/"
    for root in roots.split():
        yield f"{root}etc"
    yield from [r"a//b.txt", r"a/./b.txt", r"a/../b.txt", r"a/", r"/", r"./a.txt", r"a\b.txt"]
    yield ""


def _controls() -> Iterator[str]:
    """Every control character in the middle; the ones that end lines or strings at both ends."""
    for code in (*range(0x20), *range(0x7F, 0xA0)):
        yield f"a{chr(code)}b.txt"
    for end in "\0\t\n\v\f\r\x1b\x7f\x85":
        yield f"{end}a.txt"
        yield f"a.txt{end}"
    yield "\x1b[2Jcleared.txt"
    yield "\x1b]0;title\x07.txt"


def _spaces() -> Iterator[str]:
    for space in SPACES:
        yield space
        yield f"{space}a.txt"
        yield f"a{space}b.txt"
        yield f"a.txt{space}"


def _invisible() -> Iterator[str]:
    """What can't be seen, or turns the order of what can."""
    for sign in INVISIBLE:
        yield f"plan{sign}fdp.exe"
        yield f"{sign}a.txt"
        yield f"a.txt{sign}"


def _devices() -> Iterator[str]:
    for device in DEVICES:
        yield device
        yield f"{device.lower()}.txt"
        yield f"{device} .txt"


def _punctuation() -> Iterator[str]:
    for sign in string.punctuation:
        yield sign
        yield f"{sign}a.txt"
        yield f"a{sign}b.txt"


def _dots() -> Iterator[str]:
    yield from [
        ".a",
        "a.",
        "a..",
        "a. ",
        ". a",
        "..a",
        "a .txt",
        ".txt",
        "a..txt",
        ".a.",
        " .",
        "-",
    ]


def _injected() -> Iterator[str]:
    """Into a shell, a page, a query, a format, a template, a table."""
    for call in ("id", "sleep 9", "touch pwned"):
        for way in ("$({})", "`{}`", ";{};", "|{}", "&&{}", "a';{};'", '";{};"', "\n{}\n", "!{}"):
            yield way.replace("{}", call) + ".txt"
        for first in "=+-@\t\r":
            yield f"{first}{call}|' /C {call}'!A0.csv"
    for tag in ("script", "img src=x onerror", "svg onload", "base href", "!--"):
        for way in ("<{}>", '"><{}>', "'><{}>", "</title><{}>", "%3C{}%3E", "&lt;{}&gt;"):
            yield way.replace("{}", tag) + ".txt"
    for way in ("' OR 1=1 --", '" OR ""="', "'; DROP TABLE uploads; --", "\\'", "%' --"):
        yield f"{way}.txt"
    formats = "%s%n%x %(name)s {0} {name} ${name} {{7*7}} #{7*7} ${jndi:x://y} %d {0.__class__}"
    for way in f"{formats} [[x]] [bold]x[/bold] \\u0041 &#65; <%=7%>".split():
        yield f"{way}.txt"
        yield way


def _headers() -> Iterator[str]:
    for end in ("\r\n", "\n", "\r", "%0d%0a", "\u010d\u010a", "\\r\\n", "\u2028", "\x85"):
        yield f"a.txt{end}Set-Cookie: a=b"
        yield f'a.txt";{end}filename="b.exe'
    yield from ('a"; filename="b.exe', "a'; filename*=UTF-8''b.exe", "a;b=c", 'a\\"b')
    yield "=?utf-8?b?Lg==?="


def _extensions() -> Iterator[str]:
    programs = "exe EXE exe. exe::$DATA exe\0.pdf exe%00.pdf php5 phtml jsp bat lnk scr hta dll sh"
    for last in f"{programs} html svg js py command".split(" "):
        yield f"plan.pdf.{last}"
        yield f"plan.{last}.pdf"
        yield f"plan.{last}"
    yield from [
        ".htaccess",
        "web.config",
        ".env",
        ".git/config",
        "index.html",
        "id_rsa",
        "desktop.ini",
    ]


def _values() -> Iterator[str]:
    """What some reader takes for something else than text."""
    numbers = "NaN Infinity 0 -1 1e309 0x1F 1/2 1,5 2026-02-30 99999999999999999999999999999999"
    words = "null NULL None nil undefined true False __proto__ constructor prototype toString"
    for value in f"{numbers} {words} [] {{}} \\ \"\" ''".split():
        yield value
        yield f"{value}.pdf"
    yield "[object Object]"


def _scripts() -> Iterator[str]:
    """Text as people write it, composed and decomposed, in both directions."""
    words = (
        "Grundri\u00df \u00d6st/S\u00fcd \u0130\u0131Ii \u212bngstr\u00f6m \u1e9e \ufb01n \ufdfa "
        "\u05ea\u05db\u05e0\u05d9\u05ea \u0645\u062e\u0637\u0637 \u56f3\u9762 \uae30\ud68d \u0345 "
        "\u043f\u043b\u0430\u043d \u0e41\u0e1a\u0e1a \u0928\u0915\u094d\u0936\u093e \u1e0d\u0307 "
        "\U0001f3d7\ufe0f \U0001f468\u200d\U0001f477 \U0001f1e8\U0001f1ed \U00020bb7\u91ce\u5c4b "
        "\u03a3\u03c3\u03c2 \u0f77"
    )
    for word in [*words.split(), "z" + "\u0300\u0323\u0334" * 20, "\u1100" * 50]:
        yield f"{word}.pdf"
        yield unicodedata.normalize("NFD", f"{word}.pdf")
        yield word


def _lookalikes() -> Iterator[str]:
    """What some conversion makes a quote, a slash or another forbidden sign of."""
    for (
        sign
    ) in "\u02ba\u2018\u201c\u2032\uff02\uff07\uff1a\uff1c\uff1e\uff1f\uff0a\uff5c\u2024\u0589":
        yield f"a{sign}b.txt"
        yield f"{sign}{sign}"
    yield "\u0430.pdf"
    yield "\U0001d41a.pdf"


def _sizes() -> Iterator[str]:
    """Around every limit, in bytes and in letters."""
    for letter in ("a", "\u00e9", "\u56f3", "\U0001f3d7"):
        each = len(letter.encode())
        for most in (250, 251, 254, 255, 256, 1_023, 1_024, 1_025, 5_000):
            yield letter * (most // each) + ".txt"
    for depth in (31, 32, 33, 63, 64, 65, 300):
        yield "a/" * depth + "b.txt"
    yield "b" * 4_096 + "/c.txt"
    yield "." * 255
    yield "x." + "y" * 300


def _no_text() -> Iterator[str]:
    """Halves of pairs, what is no character, what nobody has assigned."""
    halves = (0xD800, 0xDBFF, 0xDC00, 0xDCE9, 0xDFFF)
    others = (0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0xFFFD, 0x1FFFE, 0x10FFFF, 0xE000, 0xF8FF, 0x378)
    for code in (*halves, *others):
        yield f"a{chr(code)}b.txt"
        yield f"{chr(code)}.pdf"
    yield "\ude00\ud83d.txt"
