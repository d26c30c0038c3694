"""Which service answers which address: the one table behind every edge."""

from __future__ import annotations

SERVICE_OF = {
    "session": "directory",
    "accounts": "directory",
    "areas": "directory",
    "sites": "directory",
    "organisations": "directory",
    "households": "needs",
    "leads": "needs",
    "needs": "needs",
    "packages": "needs",
    "volunteers": "volunteers",
    "teams": "volunteers",
    "invitations": "volunteers",
    "tasks": "volunteers",
    "lots": "resources",
    "holds": "resources",
    "funds": "resources",
    "donors": "resources",
    "matches": "matching",
}
"""The service by the first part of an address below `/api`."""

LETTERS = "dead-letters"
ELSEWHERE = "directory"
"""Who answers for everything else: the documentation, and that there is nothing at an address."""


def service_at(path: str) -> str:
    """The service that answers at this path."""
    parts = path.split("/")
    if len(parts) < 3 or parts[0] or parts[1] != "api":
        return ELSEWHERE
    if parts[2] == LETTERS:
        named = parts[3] if len(parts) > 3 else ""
        return named if named in SERVICE_OF.values() else ELSEWHERE
    return SERVICE_OF.get(parts[2], ELSEWHERE)


def services() -> tuple[str, ...]:
    """Every service that answers somewhere, each once, in the order of the table."""
    return tuple(dict.fromkeys(SERVICE_OF.values()))


def caddyfile() -> str:
    """The same table for Caddy, which asks the name server for all instances of a service and takes turns."""
    return _HEAD + "".join(_block(service) for service in services()) + _TAIL


def _block(service: str) -> str:
    names = [f"/api/{name}" for name, owner in SERVICE_OF.items() if owner == service]
    names.append(f"/api/{LETTERS}/{service}")
    paths = " ".join(f"{name} {name}/*" for name in names)
    return f"\t@{service} path {paths}\n\thandle @{service} {{\n{_instances_of(service)}\t}}\n"


def _instances_of(service: str) -> str:
    """Spelled out for each service: what a snippet calls its arguments differs between releases of Caddy."""
    return (
        f"\t\treverse_proxy {{\n\t\t\tdynamic a {service} 8000 {{\n\t\t\t\trefresh 2s\n\t\t\t}}\n"
        "\t\t\timport patience\n\t\t}\n"
    )


_HEAD = """# Written by `make contracts` from wushe/routing.py: change it there.
# WUSHE_ORIGIN is the origin that people see: `:8080` plain, or a domain, for which Caddy fetches a certificate.
{
	admin off
	grace_period 5s
}

(patience) {
	lb_policy round_robin
	lb_try_duration 3s
	lb_try_interval 100ms
	fail_duration 2s
	transport http {
		dial_timeout 1s
		response_header_timeout 60s
	}
}

# For the health check of the container: it answers whatever the origin is, and is not published.
http://:8081 {
	respond 200
}

{$WUSHE_ORIGIN::8080} {
"""
_TAIL = f"""	handle /healthz {{
		respond `{{"status":"alive"}}` 200
	}}
	handle /metrics {{
		respond 404
	}}
	handle {{
{_instances_of(ELSEWHERE)}	}}
}}
"""
