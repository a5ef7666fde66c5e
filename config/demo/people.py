"""The demo's people, agents and data source, made where they are missing. What changed since stays as it is."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import transaction
from psycopg.conninfo import make_conninfo

from audit import ledger
from config.demo.shop import SENSITIVE
from config.embedded import folders
from governance import datasources
from governance.catalogue.connection import address_of, parse_dsn
from governance.classification import Assignment, classify_all, parse_target
from governance.models import Classification, DataSource
from governance.policy import store
from identity import agents, credentials, people
from identity.errors import NotAuthenticated
from identity.models import Agent, User

ACTOR = "system:demo"

USERS = {"ada": [], "rita": ["dba"], "dora": ["dba"], "olaf": ["auditors"], "root": []}
ADMINISTRATORS = {"root"}
AGENTS = {
    "analyst-bot": ("ada", "Answers questions about customers and sales."),
    "ops-bot": ("ada", "Keeps orders and stock up to date."),
}
DATA_SOURCE = "shop"


@dataclass
class Keyring:
    """What signs in: kept under `var/secrets/`, so that a restart hands out the same."""

    path: Path
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Keyring:
        path = folders.var_directory() / "secrets" / "demo.json"
        try:
            stored = json.loads(path.read_text())
            return cls(path, stored["passwords"], stored["tokens"])
        except (OSError, ValueError, KeyError):
            return cls(path)

    def save(self) -> None:
        stored = asdict(self)
        del stored["path"]
        folders.write_private(self.path, json.dumps(stored) + "\n")

    def password(self, name: str) -> str:
        """Saved before anybody is made with it."""
        if name not in self.passwords:
            self.passwords[name] = secrets.token_urlsafe(12)
            self.save()
        return self.passwords[name]

    def token(self, holder: User | Agent) -> str:
        """The token kept, if it still opens the door; else a new one."""
        name = str(holder)
        if not _is_accepted(self.tokens.get(name, "")):
            self.tokens[name] = credentials.issue(holder, issued_by=ACTOR).token
            self.save()
        return self.tokens[name]


def _is_accepted(token: str) -> bool:
    try:
        credentials.authenticate(token)
    except NotAuthenticated:
        return False
    return True


def ensure_people(dsn: str) -> dict[str, object]:
    """The part of `var/demo.json` that tells who can sign in, and how."""
    keyring = Keyring.read()
    users = [_ensure_user(name, groups, keyring) for name, groups in USERS.items()]
    bots = [_ensure_agent(name, keyring) for name in AGENTS]
    store.ensure_default(actor=ACTOR)
    datasource = _ensure_data_source(dsn)
    _classify(datasource)
    return {
        "users": users,
        "agents": bots,
        "datasources": [{"name": DATA_SOURCE, "engine": datasource.engine, "dsn": dsn}],
    }


def _ensure_user(name: str, groups: list[str], keyring: Keyring) -> dict[str, object]:
    password = keyring.password(name)
    user = User.objects.filter(username=name).first()
    if user is None:
        user = people.add_user(name, password, groups, is_administrator=name in ADMINISTRATORS, actor=ACTOR)
    elif not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return {"name": name, "password": password, "groups": groups, "token": keyring.token(user)}


def _ensure_agent(name: str, keyring: Keyring) -> dict[str, object]:
    owner, description = AGENTS[name]
    agent = Agent.objects.filter(name=name).first()
    if agent is None:
        agent = agents.add_agent(name, people.find_user(owner), ["agents"], description, actor=ACTOR)
    return {"name": name, "owner": owner, "token": keyring.token(agent)}


def _ensure_data_source(dsn: str) -> DataSource:
    datasource = DataSource.objects.filter(name=DATA_SOURCE).first()
    if datasource is None:
        return datasources.add_datasource(DATA_SOURCE, engine="postgres", dsn=dsn, environment="prod", actor=ACTOR)
    parameters = parse_dsn(dsn)
    if datasource.dsn != make_conninfo(**parameters):
        _move(datasource, parameters)
    return datasource


def _move(datasource: DataSource, parameters: dict[str, str]) -> None:
    """The embedded server had to take another port than last time."""
    datasource.dsn = make_conninfo(**parameters)
    datasource.address = address_of(parameters)
    with transaction.atomic():
        datasource.save(update_fields=["dsn", "address"])
        ledger.append_within("datasource.changed", actor=ACTOR, datasource=datasource.name, changes=["address"])


def _classify(datasource: DataSource) -> None:
    """Only when nothing is classified yet: what people took away afterwards stays away."""
    if not Classification.objects.filter(datasource=datasource).exists():
        wanted = [Assignment(parse_target(column), data_class) for column, data_class in SENSITIVE.items()]
        classify_all(datasource, wanted, actor=ACTOR)
