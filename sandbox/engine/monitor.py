"""What the SDK in the program calls in place of Pulumi's services: the resource monitor and the engine's log."""

import threading
from collections.abc import Callable
from typing import Any

from sandbox.engine import values, wire
from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.goal import refuse
from sandbox.engine.provider import ProviderFailed
from sandbox.engine.session import Stopped

# Beside what is supported, what is refused by name: else the SDK would refuse it with advice to update a CLI.
_FEATURES = (
    *("SECRETS", "RESOURCE_REFERENCES", "DELETED_WITH", "REPLACE_WITH", "REPLACEMENT_TRIGGER"),
    *("TRANSFORMS", "INVOKE_TRANSFORMS", "PARAMETERIZATION", "RESOURCE_HOOKS", "ERROR_HOOKS"),
)
_SEVERITIES = ("debug", "info", "warning", "error")
_GONE = "Resource monitor has terminated, shutting down"


class Refusal(wire.RpcError):  # type: ignore[misc] # gRPC has no types
    """An error as the SDK expects it of a service: a code and details."""

    def __init__(self, code: Any, details: str) -> None:
        super().__init__(details)
        self._code, self._details = code, details

    def code(self) -> Any:
        """Its status."""
        return self._code

    def details(self) -> str:
        """Its text."""
        return self._details


def _answered(what: str) -> Callable[[Callable[["Monitor", Any], Any]], Callable[["Monitor", Any], Any]]:
    """Turns a method into an answer to the SDK, which waits for `begin`; `what` names the request in errors."""

    def decorate(work: Callable[["Monitor", Any], Any]) -> Callable[["Monitor", Any], Any]:
        def answer(self: "Monitor", request: Any) -> Any:
            try:
                self.wait()
                return work(self, request)
            except Stopped:
                pass
            except ProviderFailed as error:  # of a function: a program may catch it and continue
                text = self.mask(f"{what.format(request)}: {error}")
                raise Refusal(wire.StatusCode.UNKNOWN, text) from error
            except (EngineError, values.UnsupportedValue) as error:
                self.fail(str(error))
            except Exception as error:  # noqa: BLE001 - a fault of ours must end the run with a line, not hang it
                self.fail(f"the engine failed at {what.format(request)}: {type(error).__name__}: {error}")
            raise Refusal(wire.StatusCode.UNAVAILABLE, _GONE)

        return answer

    return decorate


class Monitor:
    """Answers the program. `begin` opens it once the policies are in place; `finished` is the program's end."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment, self._request = deployment, deployment.request
        self.fail, self.mask = deployment.fail, deployment.mask
        self._open = threading.Event()
        self.finished = threading.Event()

    def begin(self) -> None:
        """Lets registrations through."""
        self._open.set()

    def wait(self) -> None:
        """Waits until it is open; raises Stopped if the run is over."""
        self._open.wait()
        self._deployment.active()

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802
        """What is deployed, and what this monitor can do."""
        del request
        asked = self._request
        return wire.resource_pb2.DeploymentInfo(
            project=asked.project, stack=asked.stack, organization=asked.organization, dryRun=asked.dry_run,
            config=asked.config, parallel=asked.parallel,
            supportedFeatures=[
                wire.resource_pb2.ResourceMonitorFeature.Value(f"RESOURCE_MONITOR_FEATURE_{name}") for name in _FEATURES
            ],
        )  # fmt: skip

    @_answered("{0.name}")
    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """Brings a resource to its goal."""
        wanted = self._deployment.namer.wanted(request)
        made = self._deployment.register(wanted)
        # The outputs of a component are the program's own to set; old ones may name what is not there yet.
        outputs = made.outputs if wanted.custom else {}
        return wire.resource_pb2.RegisterResourceResponse(
            urn=made.urn, id=made.id, object=values.to_struct(outputs), result=wire.resource_pb2.SUCCESS
        )

    @_answered("{0.name}")
    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Reads a resource that is not the stack's."""
        found = self._deployment.read(self._deployment.namer.reference(request))
        return wire.resource_pb2.ReadResourceResponse(
            urn=found.urn, properties=values.to_struct(found.outputs)
        )

    @_answered("invocation of {0.tok}")
    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """Calls a function of a provider."""
        refuse(request, f"function {request.tok}")
        arguments = values.from_struct(request.args)
        result = self._deployment.invoke(request.tok, arguments, request.provider, request.version)
        return wire.resource_pb2.ResourceInvokeResponse(**{"return": values.to_struct(result)})

    @_answered("{0.urn}")
    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Takes the outputs of a component, or of the stack."""
        self._deployment.register_outputs(request.urn, values.from_struct(request.outputs))
        return wire.EMPTY

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: N802
        """The program is done."""
        del request
        self.finished.set()
        return wire.EMPTY


def _refusing(what: str) -> Callable[[Monitor, Any], None]:
    def answer(monitor: Monitor, request: Any) -> None:
        message = f"{what.format(request)} is not supported by the sandbox engine; use the pulumi CLI, or leave it out"
        monitor.fail(message)
        raise Refusal(wire.StatusCode.UNIMPLEMENTED, message)

    return answer


for _method, _what in {
    "Call": "the method call {0.tok}",  # of a remote component
    "RegisterStackTransform": "a stack transform",
    "RegisterStackInvokeTransform": "an invoke transform",
    "RegisterResourceHook": "resource hook {0.name}",
    "RegisterErrorHook": "error hook {0.name}",
    "RegisterPackage": "package {0.name}",  # a parameterized one
}.items():
    setattr(Monitor, _method, _refusing(_what))


class Log:
    """Takes the messages of the program."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.program_errors: list[str] = []

    def Log(self, request: Any) -> Any:  # noqa: N802
        """One message; an error of the program itself is kept as the reason of its failure."""
        severity = _SEVERITIES[request.severity]
        if severity == "debug":  # the SDK's own chatter, tracebacks of our refusals among it
            return wire.EMPTY
        if severity == "error" and not request.urn:
            self.program_errors.append(request.message)
        self._deployment.log(severity, request.message, request.urn, ephemeral=request.ephemeral)
        return wire.EMPTY
