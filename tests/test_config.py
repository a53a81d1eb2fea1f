"""Settings: file < environment < command line; what is unknown is refused."""

from pathlib import Path

import pytest

from assistant.company import Company
from assistant.config import load_settings
from assistant.errors import SettingsError


def test_later_places_overrule_earlier_ones(tmp_path, monkeypatch):
    file = tmp_path / "settings.yml"
    file.write_text("port: 1111\nhost: 0.0.0.0\nstrategy: few_shot\n")
    monkeypatch.setenv("FRONTDESK_PORT", "2222")
    monkeypatch.setenv("FRONTDESK_STRATEGY", "zero_shot")
    settings = load_settings(file, strategy="extractive", port=None)
    assert (settings.host, settings.port, settings.strategy) == ("0.0.0.0", 2222, "extractive")  # noqa: S104


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
        ("a: [", "Expected a YAML file"),
    ],
)
def test_wrong_settings_are_explained(tmp_path, content, message):
    file = tmp_path / "settings.yml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(file)
    assert "settings.yml" in str(caught.value)


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
