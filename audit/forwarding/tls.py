"""Contexts for TLS from certificates that are kept as text."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from ipaddress import ip_address


def client_context(config: Mapping[str, str]) -> ssl.SSLContext:
    """Verifies the receiver's certificate and host name, against `ca` or what the system trusts; shows `certificate`.

    Raises `ssl.SSLError`, `ValueError` where a certificate or key cannot be read.
    """
    context = ssl.create_default_context(cadata=config.get("ca") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.get("certificate"):
        # The library takes files only. This one is readable by its owner, and gone at the end.
        with tempfile.NamedTemporaryFile("w", prefix="forwarder-", suffix=".pem") as file:
            file.write(f"{config['certificate'].strip()}\n{config.get('key', '').strip()}\n")
            file.flush()
            # A key with a pass phrase is refused; without this the library would ask on the terminal.
            context.load_cert_chain(file.name, password=lambda: "")
    return context


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
