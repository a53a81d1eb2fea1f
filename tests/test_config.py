"""Settings: file < environment < command line; unknown names are refused."""

import argparse
from pathlib import Path

import pytest

from assistant.company import Company
from assistant.config import ServeOptions, Settings, add_arguments, load_settings, settings_of
from assistant.errors import SettingsError


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*")
    add_arguments(parser, ServeOptions)
    return parser.parse_args(arguments)


def test_later_places_overrule_earlier_ones(tmp_path, monkeypatch):
    file = tmp_path / "settings.yml"
    file.write_text("port: 1111\nhost: 0.0.0.0\nstrategy: few_shot\n")
    monkeypatch.setenv("FRONTDESK_PORT", "2222")
    monkeypatch.setenv("FRONTDESK_STRATEGY", "zero_shot")
    settings = load_settings(file, strategy="extractive", port=None)
    assert (settings.host, settings.port, settings.strategy) == ("0.0.0.0", 2222, "extractive")  # noqa: S104


def test_the_command_line_overrides_environment_and_file(tmp_path, monkeypatch):
    file = tmp_path / "settings.yml"
    file.write_text("port: 1111\nhost: 0.0.0.0\nadapter: mine\n")
    monkeypatch.setenv("FRONTDESK_PORT", "2222")
    monkeypatch.setenv("FRONTDESK_CAUTION", "5")
    given = parsed("--config", str(file), "--port", "3333", "--adapter", "none")
    settings = settings_of(given)
    assert (settings.host, settings.port, settings.caution) == ("0.0.0.0", 3333, 5)  # noqa: S104
    assert settings.adapter is None


def test_options_of_the_command_itself_are_left_alone():
    settings = settings_of(parsed("--names", '"half', "--generator-url", "http://x/v1"))
    assert settings == load_settings(generator_url="http://x/v1")


def test_a_secret_is_no_option(capsys):
    with pytest.raises(SystemExit):
        parsed("--generator-key", "swordfish")
    with pytest.raises(SystemExit):
        parsed("--help")
    said = capsys.readouterr().out
    for name in Settings.model_fields:
        is_option = name in ServeOptions.model_fields
        assert (f"--{name.replace('_', '-')} " in said) == is_option
        assert not (is_option and "Secret" in str(Settings.model_fields[name].annotation))


def test_a_secret_of_the_wrong_type_is_not_printed(tmp_path):
    file = tmp_path / "settings.yml"
    file.write_text("generator_key: 12345\n")
    with pytest.raises(SettingsError, match="generator_key: Input should be") as caught:
        load_settings(file)
    assert "12345" not in str(caught.value)


def test_defaults_listen_on_loopback_only():
    settings = load_settings()
    assert (settings.host, settings.port, settings.state) == ("127.0.0.1", 7860, Path("var"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("colour: red", "unknown setting 'colour'; known are: knowledge, state"),
        ("port: many", "port: .*found 'many'"),
        ("port: 99999", "port: .*found 99999"),
        ("- a\n- b", "Expected `name: value` lines"),
        ("1: 2", "Expected `name: value` lines"),
        ("words", "Expected `name: value` lines"),
        ("a: [", "Expected a YAML file"),
    ],
)
def test_wrong_settings_are_explained(tmp_path, content, message):
    file = tmp_path / "settings.yml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(file)
    assert "settings.yml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(SettingsError, match="Expected a YAML file"):
        load_settings(tmp_path / "none.yml")


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("FRONTDESK_GENERATOR_KEY", "swordfish")
    assert "swordfish" not in repr(load_settings())


def test_company_without_a_file_is_called_as_its_folder(tmp_path):
    assert Company.load(tmp_path / "shoe-shop").name == {"en": "Shoe Shop", "zh": "Shoe Shop"}
    (tmp_path / "company.yml").write_text("name: {en: Shop}\nlogo: x.png\n")
    with pytest.raises(SettingsError, match="company.yml"):
        Company.load(tmp_path)
