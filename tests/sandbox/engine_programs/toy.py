"""A package of toy resources as a program sees it. The provider that serves it is `toy_provider`."""

from typing import Any

import pulumi


class Thing(pulumi.CustomResource):
    """A resource whose `name` forces a replacement and whose `value` is updated in place."""

    name: pulumi.Output[str]
    value: pulumi.Output[Any]
    serial: pulumi.Output[str]
    secretEcho: pulumi.Output[str]  # noqa: N815 - as on the wire

    def __init__(self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        for output in ("name", "value", "serial", "secretEcho"):
            props.setdefault(output, None)
        super().__init__("toy:index:Thing", resource_name, props, opts)


class Provider(pulumi.ProviderResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__("toy", name, props, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("toy:index:Group", name, None, opts)


def shout(text: Any, provider: pulumi.ProviderResource | None = None) -> Any:
    return pulumi.runtime.invoke(
        "toy:index:shout", {"text": text}, pulumi.InvokeOptions(provider=provider)
    ).value["text"]
