"""Which values look personal, by their form and check digits, and which names of fields say so.

In: values and names of fields. Out: kinds, in words of KINDS. Promised: pure; a value is looked at and not kept; of
what has check digits a form alone says nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable

import msgspec

TEXT_MAX = 2_000
"""Characters of a text that are looked at."""

CHANCE = 0.5
"""Of values with the form of a number with check digits so many at least have to have these right: else they are ids
of something, a tenth of which has them right by chance.
"""

_EMAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b")
_PHONE = re.compile(r"\+[1-9][0-9 ().-]{6,22}[0-9]")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"3[47][0-9]{13}|(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}|6011|65[0-9]{2})[0-9]{12}")
_DNI = re.compile(r"[0-9XYZ][0-9]{7}[A-Z]")
_FISCALE = re.compile(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]")
_CPF = re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}")
_PESEL = re.compile(r"[0-9]{2}(?:[0189][1-9]|[0189][0-2]|[23][0-9])(?:0[1-9]|[12][0-9]|3[01])[0-9]{5}")
_HETU = re.compile(r"[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-Y]")

_IBAN_LENGTHS = {
    **{"AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18},
    **{"FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27, "LT": 20, "LU": 20, "LV": 21, "MT": 31},
    **{"NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "AE": 23, "SA": 24},
}
_FISCALE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"

NAMES: dict[str, str] = {
    **dict.fromkeys(("email", "emailaddress", "mail", "mailaddress"), "email"),
    **dict.fromkeys(("phone", "phonenumber", "mobile", "telephone", "tel", "cellphone"), "phone"),
    **dict.fromkeys(("firstname", "lastname", "surname", "fullname", "givenname", "familyname", "username"), "name"),
    **dict.fromkeys(("birthday", "birthdate", "dateofbirth", "dob"), "birthday"),
    **dict.fromkeys(("street", "streetaddress", "address", "postaladdress", "postcode", "zipcode"), "address"),
    **dict.fromkeys(("ip", "ipaddress", "remoteaddr"), "ip"),
    **dict.fromkeys(("iban", "cardnumber", "creditcard"), "account"),
    **dict.fromkeys(("ssn", "passport", "taxid", "nationalid"), "national id"),
}
"""What a field's name says of it, in small letters without anything between."""


class Seen(msgspec.Struct):
    """What was seen of one field: how many values, how many of each kind's form, how many of the kind for sure."""

    values: int = 0
    formed: Counter[str] = msgspec.field(default_factory=Counter)
    sure: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, value: object) -> None:
        """Look at a value; lists are looked into."""
        if isinstance(value, list | tuple):
            for one in value:
                self.add(one)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            self.values += 1
            for kind, is_sure in _kinds(str(value)[:TEXT_MAX].strip()):
                self.formed[kind] += 1
                self.sure[kind] += is_sure

    @property
    def found(self) -> dict[str, int]:
        """The kinds that are there and not by chance, with how many values."""
        return {kind: count for kind, count in self.sure.items() if count and count >= CHANCE * self.formed[kind]}


def said_by(name: str) -> str | None:
    """Return what a field's name says it is; None where it says nothing personal.

    >>> said_by("contact_email"), said_by("firstName"), said_by("product_name")
    ('email', 'name', None)
    """
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    ends = ("".join(words[at:]) for at in range(len(words)))
    return next((NAMES[end] for end in ends if end in NAMES), None)


def _kinds(text: str) -> list[tuple[str, bool]]:
    """Return the kinds whose form a text has, and whether it is one for sure."""
    found = [("email", True)] if "@" in text and _EMAIL.search(text) else []
    if _PHONE.fullmatch(text) and 8 <= sum(one.isdigit() for one in text) <= 15:
        found.append(("phone", True))
    elif _is_ip(text):
        found.append(("ip", True))
    close = re.sub(r"[ -]", "", text).upper()
    found += [(kind, check(close)) for kind, form, check in CHECKED if form.fullmatch(close)]
    found += [(kind, check(text)) for kind, form, check in WRITTEN if form.fullmatch(text)]
    return found


def _is_ip(text: str) -> bool:
    if text.count(".") != 3 and text.count(":") < 2:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _iban(text: str) -> bool:
    return (
        _IBAN_LENGTHS.get(text[:2]) == len(text) and int("".join(str(int(one, 36)) for one in _turned(text))) % 97 == 1
    )


def _turned(text: str) -> str:
    return text[4:] + text[:4]


def _luhn(text: str) -> bool:
    doubled = (int(one) * (1 + at % 2) for at, one in enumerate(reversed(text)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _dni(text: str) -> bool:
    number = int(text[:8].translate(str.maketrans("XYZ", "012")))
    return _DNI_LETTERS[number % 23] == text[8]


def _fiscale(text: str) -> bool:
    total = 0
    for at, one in enumerate(text[:15]):
        number = int(one) if one.isdigit() else ord(one) - ord("A")
        total += number if at % 2 else _FISCALE_ODD[number]
    return chr(ord("A") + total % 26) == text[15]


def _cpf(text: str) -> bool:
    digits = [int(one) for one in text if one.isdigit()]
    if len(set(digits)) == 1:
        return False
    return all(
        sum(digit * weight for digit, weight in zip(digits, range(at + 1, 1, -1), strict=False)) * 10 % 11 % 10
        == digits[at]
        for at in (9, 10)
    )


def _pesel(text: str) -> bool:
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return sum(int(one) * weight for one, weight in zip(text, weights, strict=True)) % 10 == 0


def _hetu(text: str) -> bool:
    return _HETU_LETTERS[int(text[:6] + text[7:10]) % 31] == text[10]


Check = tuple[str, "re.Pattern[str]", Callable[[str], bool]]

CHECKED: tuple[Check, ...] = (
    ("iban", _IBAN, _iban),
    ("card", _CARD, _luhn),
    ("national id (ES)", _DNI, _dni),
    ("national id (IT)", _FISCALE, _fiscale),
    ("national id (PL)", _PESEL, _pesel),
)
"""Numbers with check digits, without what is written between their parts."""

WRITTEN: tuple[Check, ...] = (("national id (BR)", _CPF, _cpf), ("national id (FI)", _HETU, _hetu))
"""Those that are only looked at as they are written."""

KINDS = ("email", "phone", "ip", *(kind for kind, _, _ in (*CHECKED, *WRITTEN)), *dict.fromkeys(NAMES.values()))
