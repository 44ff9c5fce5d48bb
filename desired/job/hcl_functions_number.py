"""HCL's functions on numbers, and on networks and times, which are arithmetic too."""

from __future__ import annotations

import ipaddress
import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from desired.job.duration import DurationError, parse_duration
from desired.job.hcl_function import ArgumentError, CallError, Function, Parameter
from desired.job.hcl_source import quoted
from desired.job.hcl_value import DECIMALS, NUMBER, STRING, decimal, whole

_NUM = Parameter("num", NUMBER)


def _extreme(choose: Any) -> Any:
    def run(values: list[Any]) -> Any:
        if not values:
            raise CallError("must pass at least one number")
        return choose(values, key=decimal)

    return run


def _pow(values: list[Any]) -> Any:
    base, power = map(decimal, values)
    return whole(DECIMALS.power(base, power))


def _log(values: list[Any]) -> Any:
    number, base = map(float, values)
    if number <= 0 or base <= 0 or base == 1:
        raise CallError("the logarithm is not defined")
    return whole(Decimal(repr(math.log(number) / math.log(base))))


def _network(values: list[Any]) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(values[0], strict=False)
    except ValueError as error:
        raise ArgumentError(0, f"invalid CIDR expression: invalid CIDR address: {values[0]}") from error


def _subnet_at(network: Any, bits: Any, number: Any) -> str:
    prefix = network.prefixlen + bits
    if bits < 0 or prefix > network.max_prefixlen:
        raise CallError(f"insufficient address space to extend prefix of {network.prefixlen} by {bits}")
    if not 0 <= number < 2**bits:
        raise CallError(f"prefix extension of {bits} does not accommodate a subnet numbered {number}")
    start = int(network.network_address) + (number << (network.max_prefixlen - prefix))
    return f"{type(network.network_address)(start)}/{prefix}"


def _cidrhost(values: list[Any]) -> str:
    network, number = _network(values), values[1]
    size = network.num_addresses
    if not -size <= number < size:
        raise CallError(f"prefix of {network.prefixlen} does not accommodate a host numbered {number}")
    return str(network[number])


def _cidrsubnets(values: list[Any]) -> list[str]:
    network = _network(values)
    made: list[str] = []
    position = int(network.network_address)
    for bits in values[1:]:
        prefix = network.prefixlen + bits
        if bits < 1 or prefix > network.max_prefixlen:
            raise CallError(f"would extend prefix to {prefix} bits, which is too long")
        size = 1 << (network.max_prefixlen - prefix)
        position = -(-position // size) * size
        if position + size > int(network.network_address) + network.num_addresses:
            raise CallError(f"not enough remaining address space for a subnet with a prefix of {prefix} bits")
        made.append(f"{type(network.network_address)(position)}/{prefix}")
        position += size
    return made


def _timeadd(values: list[Any]) -> str:
    try:
        start = datetime.fromisoformat(values[0])
    except ValueError as error:
        raise ArgumentError(0, f"not a valid RFC3339 timestamp: {quoted(values[0])}") from error
    try:
        moved = start + timedelta(microseconds=parse_duration(values[1]) / 1000)
    except (DurationError, OverflowError) as error:
        raise ArgumentError(1, str(error)) from error
    return moved.isoformat().replace("+00:00", "Z")


def number_functions() -> dict[str, Function]:
    """Functions on numbers, networks and times by name."""
    prefix = Parameter("prefix", STRING)
    return {
        "abs": Function(lambda v: abs(v[0]), (_NUM,)),
        "ceil": Function(lambda v: math.ceil(v[0]), (_NUM,)),
        "cidrhost": Function(_cidrhost, (prefix, Parameter("hostnum", NUMBER))),
        "cidrnetmask": Function(lambda v: str(_network(v).netmask), (prefix,)),
        "cidrsubnet": Function(
            lambda v: _subnet_at(_network(v), v[1], v[2]),
            (prefix, Parameter("newbits", NUMBER), Parameter("netnum", NUMBER)),
        ),
        "cidrsubnets": Function(_cidrsubnets, (prefix,), Parameter("newbits", NUMBER)),
        "floor": Function(lambda v: math.floor(v[0]), (_NUM,)),
        "log": Function(_log, (_NUM, Parameter("base", NUMBER))),
        "max": Function(_extreme(max), rest=Parameter("numbers", NUMBER)),
        "min": Function(_extreme(min), rest=Parameter("numbers", NUMBER)),
        "pow": Function(_pow, (_NUM, Parameter("power", NUMBER))),
        "signum": Function(lambda v: (v[0] > 0) - (v[0] < 0), (_NUM,)),
        "timeadd": Function(_timeadd, (Parameter("timestamp", STRING), Parameter("duration", STRING))),
    }
