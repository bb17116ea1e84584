"""Where values come from, and what is refused."""

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.settings.load import MAX_FILE_BYTES, load, shown
from livepost.settings.settings import Settings


def test_a_folder_without_a_file_has_the_defaults_inside_itself(tmp_path: Path) -> None:
    loaded = load(tmp_path, {})
    assert loaded.settings.port == 8300
    assert loaded.settings.data_folder == tmp_path / "data"
    assert loaded.settings.kek == f"file:{tmp_path}/data/keys/kek"
    assert set(loaded.origins.values()) == {"default"}


def test_the_file_wins_over_the_default_and_tells_its_line(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text('# the shop\nshop_name = "Ada\'s"\n\nport = 8400\n')
    loaded = load(tmp_path, {})
    assert loaded.settings.port == 8400
    assert loaded.origins["port"] == "livepost.toml:4"


def test_the_environment_wins_over_the_file_and_may_spell_a_number(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text("port = 8400\n")
    loaded = load(tmp_path, {"LIVEPOST_PORT": "8500", "HOME": "/nowhere"})
    assert loaded.settings.port == 8500
    assert loaded.origins["port"] == "LIVEPOST_PORT"


def test_a_flag_wins_over_all_and_none_is_no_flag(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"LIVEPOST_PORT": "8500"}, {"port": 8600, "shop_name": None})
    assert loaded.settings.port == 8600
    assert loaded.origins["port"] == "--port"
    assert loaded.origins["shop_name"] == "default"


def test_from_is_read_as_the_sender(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text('from = "hello@example.org"\n')
    assert load(tmp_path, {}).settings.sender == "hello@example.org"


def test_key_and_lake_follow_the_data_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, {}, {"data": "elsewhere"}).settings
    assert settings.kek == f"file:{tmp_path}/elsewhere/keys/kek"
    assert settings.lake == f"{tmp_path}/elsewhere/lake"


@pytest.mark.parametrize(
    ("key", "nearest"), [("prot", "port"), ("retention", "retention_days"), ("shopname", "shop_name")]
)
def test_an_unknown_key_is_refused_with_the_nearest_one(tmp_path: Path, key: str, nearest: str) -> None:
    (tmp_path / "livepost.toml").write_text(f"{key} = 1\n")
    with pytest.raises(SettingsError, match=rf"{key} \(livepost.toml:1\) .* did you mean {nearest}\?"):
        load(tmp_path, {})


def test_an_unknown_variable_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\(LIVEPOST_PROT\) .* did you mean port\?"):
        load(tmp_path, {"LIVEPOST_PROT": "1"})


def test_a_table_is_refused_like_any_unknown_key(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text("port = 1\n[xyzzy]\na = 1\n")
    with pytest.raises(SettingsError, match=r"xyzzy \(livepost.toml:2\) .* the settings are workspace, data"):
        load(tmp_path, {})


def test_a_variable_that_a_setting_names_as_its_secret_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text('kek = "env:LIVEPOST_VAULT_KEY"\n')
    assert load(tmp_path, {"LIVEPOST_VAULT_KEY": "c2VjcmV0"}).settings.kek == "env:LIVEPOST_VAULT_KEY"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('port = "8400"', "expected `int`, got `str`"),
        ("port = 65536", "<= 65535"),
        ('currency = "usd"', "matching regex"),
        ('undeclared = "drop"', "invalid enum value 'drop'"),
        ('fresh = "1 hour"', "matching regex"),
        ("retention_days = 30", ">= 31"),
        ('quiet_hours = "9pm-8am"', "matching regex"),
        ('caps = "4 a week"', "matching regex"),
        ('from = "nobody"', "matching regex"),
        ('from = "a@example.com\\nBcc: b@example.com"', "matching regex"),
        ('public_url = "javascript:alert(1)"', "matching regex"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_an_example(tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "livepost.toml").write_text(line + "\n")
    with pytest.raises(SettingsError, match=r"livepost.toml:1\) does not fit: .* it is said like") as refused:
        load(tmp_path, {})
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'zone = "Europe/Berlyn"',
            r"zone = \"Europe/Berlyn\" \(livepost.toml:1\) is no zone .*did you mean Europe/Berlin\?",
        ),
        ('zone = ""', "is no zone of the IANA database"),
        ('quiet_hours = "08:00-08:00"', "begin when they end; leave them out for none"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "livepost.toml").write_text(line + "\n")
    with pytest.raises(SettingsError, match=told):
        load(tmp_path, {})


def test_a_part_that_is_not_built_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text('\nlog = "kafka://broker:9092/events"\n')
    with pytest.raises(SettingsError, match=r"\(livepost.toml:2\) is not yet built .* use log = \"sqlite:\""):
        load(tmp_path, {})


def test_a_secret_written_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must refer to a key"):
        load(tmp_path, {"LIVEPOST_KEK": "hunter2"})


def test_mail_may_name_a_server_and_its_password_by_reference(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text(
        'mail = "smtps://ada@mail.example.com?cafile=ca.pem"\nmail_password = "file:keys/smtp"\n'
    )
    loaded = load(tmp_path, {})
    assert loaded.settings.mail == f"smtps://ada@mail.example.com?cafile={tmp_path}/ca.pem"
    assert loaded.settings.mail_password == f"file:{tmp_path}/keys/smtp"
    assert {line.key: line.value for line in loaded.shown()}["mail_password"] == f"file:{tmp_path}/keys/smtp"


def test_the_variable_of_a_mail_password_is_no_setting(tmp_path: Path) -> None:
    environ = {
        "LIVEPOST_MAIL": "smtp://ada@mail.example.com",
        "LIVEPOST_MAIL_PASSWORD": "env:LIVEPOST_SMTP_WORD",
        "LIVEPOST_SMTP_WORD": "hunter2",
    }
    loaded = load(tmp_path, environ)
    assert loaded.settings.mail_password == "env:LIVEPOST_SMTP_WORD"
    assert "hunter2" not in str(loaded)


@pytest.mark.parametrize(
    ("mail", "password", "sentence"),
    [
        ("smtp://ada:hunter2@mail.example.com", "", r"mail \(LIVEPOST_MAIL\) must not hold the password"),
        ("smtp://ada@mail.example.com", "", "there is no mail_password"),
        ("smtp://mail.example.com", "env:SMTP", "names no user"),
        ("smtp://ada@mail.example.com", "hunter2", r"mail_password \(LIVEPOST_MAIL_PASSWORD\) must refer to a secret"),
        ("smtp://mail.example.com?tls=none", "", "in clear"),
        ("smtp:mail.example.com", "", "expected smtp://"),
    ],
)
def test_a_mail_that_cannot_be_right_is_refused_without_the_password(
    tmp_path: Path, mail: str, password: str, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        load(tmp_path, {"LIVEPOST_MAIL": mail, "LIVEPOST_MAIL_PASSWORD": password})
    assert "hunter2" not in str(refused.value)


def test_what_is_not_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_text("port = 1\nport\n")
    with pytest.raises(SettingsError, match=r"not TOML: .*line 2"):
        load(tmp_path, {})


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "livepost.toml").write_bytes(b'shop_name = "\xff"\n')
    with pytest.raises(SettingsError, match="UTF-8"):
        load(tmp_path, {})


def test_a_file_at_the_bound_is_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "livepost.toml"
    path.write_text("#" * MAX_FILE_BYTES)
    assert load(tmp_path, {}).settings.port == 8300
    path.write_text("#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(SettingsError, match="shorten it"):
        load(tmp_path, {})


def test_what_is_shown_has_every_setting_with_its_origin(tmp_path: Path) -> None:
    shown = {line.key: line for line in load(tmp_path, {"LIVEPOST_FROM": "a@example.org"}).shown()}
    assert shown["from"].value == "a@example.org"
    assert shown["from"].origin == "LIVEPOST_FROM"
    assert shown["kek"].value.startswith("file:")


def test_settings_that_nobody_loaded_are_shown_without_an_origin_and_without_a_password() -> None:
    told = {line.key: line for line in shown(Settings(mail="smtp://ada:secret@mail.example.com"), {"mail": "--mail"})}
    assert (told["mail"].value, told["mail"].origin) == ("smtp://ada:***@mail.example.com", "--mail")
    assert {line.origin for key, line in told.items() if key != "mail"} == {""}
