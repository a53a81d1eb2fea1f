"""What a server needs besides: a free port, secrets, and a generator's server that answers."""

import json
import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.checkup.check import Checks, failure, fine, warning

if TYPE_CHECKING:
    from assistant.config import Settings

# Addresses that stand for all of a machine's own, and the one at which it reaches itself.
ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # told apart, not listened on
LOCAL = ("127.0.0.1", "localhost", "::1")
# Seconds after which a server counts as silent.
PATIENCE = 3.0
# The fewest characters of a secret that nobody guesses.
SHORTEST = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def port(settings: "Settings") -> Checks:
    """Look whether the port is free, or Frontdesk itself serves there."""
    from assistant.serve import is_free

    where = f"{settings.host}:{settings.port}"
    reached = "" if settings.host in LOCAL else "; other machines reach it: use a proxy with TLS"
    if is_free(settings.host, settings.port):
        yield fine("port", f"{where} is free{reached}")
        return
    status = _status_of(settings)
    if status == "ready":
        yield fine("port", f"Frontdesk serves at {where}{reached}")
    elif status:
        found = f"Frontdesk at {where} is not ready ({status})"
        yield failure("port", found, "Read its log; `database` below may say why.")
    else:
        found = f"{where} is taken, or is no address of this machine"
        yield failure("port", found, "Stop what listens there, or set another `port` or `host`.")


def _status_of(settings: "Settings") -> str:
    """Return what a Frontdesk that serves there says of itself; "" for anything else."""
    import httpx

    host = ALL.get(settings.host, settings.host)
    url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        alive = httpx.get(f"{url}/v1/models", timeout=PATIENCE, trust_env=False).json()
        if alive["data"][0]["owned_by"] != "frontdesk":
            return ""
        answer = httpx.get(f"{url}/readyz", timeout=PATIENCE, trust_env=False)
        return str(answer.json().get("status", f"status {answer.status_code}"))
    except (httpx.HTTPError, json.JSONDecodeError, LookupError, TypeError, AttributeError):
        return ""


def secrets(settings: "Settings") -> Checks:
    """Look at the secret that signs tokens: given, made, or to be made."""
    from assistant.secret_key import FILE

    file = settings.state / FILE
    name, given = "secret", settings.secret_key
    same = "; several servers of one database need the same `secret_key`"
    if given and len(given.get_secret_value()) < SHORTEST:
        found = "`secret_key` is set, and short"
        yield warning(name, found, f"Take at least {SHORTEST} random characters.")
    elif given:
        yield fine(name, "`secret_key` is set")
    elif not file.is_file():
        yield fine(name, f"made in {file} at the first start{same}")
    elif file.stat().st_mode & OTHERS:
        yield warning(name, f"{file} can be read by others", f"chmod 600 {file}")
    else:
        yield fine(name, f"in {file}, for its owner alone{same}")


def generator_server(settings: "Settings") -> Checks:
    """Look whether the server of a generator answers, if the settings name one."""
    if not settings.generator_url:
        return
    import httpx

    # An address may hold a password.
    where = urlsplit(settings.generator_url).hostname
    key = settings.generator_key.get_secret_value() if settings.generator_key else "none"
    name, remedy = "generator", "Check `generator_url`, `generator_key` and that server."
    try:
        answer = httpx.get(
            f"{settings.generator_url.rstrip('/')}/models",
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield failure(name, f"the server {where} is not reached ({type(error).__name__})", remedy)
        return
    if answer.is_success:
        yield fine(name, f"the server {where} answers")
    else:
        yield failure(name, f"the server {where} answers {answer.status_code}", remedy)
