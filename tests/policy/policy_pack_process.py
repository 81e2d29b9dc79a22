"""The real pack process, asked over gRPC as an engine asks it."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

START_SECONDS = 120


@dataclass
class PackProcess:
    """A running pack; `analyze` and `analyze_stack` answer with (policy name, mandatory, message, urn)."""

    process: subprocess.Popen
    stub: analyzer_pb2_grpc.AnalyzerStub
    channel: grpc.Channel

    @classmethod
    def start(cls, folder, phase=None, stack="staging", environment=None):
        settings = {
            **os.environ,
            "PULUMI_PROJECT": "atlas-access",
            "PULUMI_STACK": stack,
            "PULUMI_DRY_RUN": "true",
            "PULUMI_CONFIG": json.dumps({"atlas-access:phase": phase} if phase else {}),
            **(environment or {}),
        }
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."],
            cwd=folder,
            env=settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        line = process.stdout.readline()
        watchdog.cancel()
        if not line.strip().isdigit():
            process.wait()
            raise AssertionError("the pack did not print its port")
        channel = grpc.insecure_channel(
            f"127.0.0.1:{line.strip()}", options=[("grpc.max_send_message_length", 400 << 20)]
        )
        return cls(process, analyzer_pb2_grpc.AnalyzerStub(channel), channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def info(self):
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def analyze(self, request):
        return self._read(self.stub.Analyze(request))

    def analyze_stack(self, resources):
        return self._read(self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)))

    @staticmethod
    def _read(response):
        mandatory = analyzer_pb2.EnforcementLevel.Value("MANDATORY")
        return [
            (said.policyName, said.enforcementLevel == mandatory, said.message, said.urn)
            for said in response.diagnostics
        ]
