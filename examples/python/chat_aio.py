"""A whole answer and a streamed one side by side, then a refused call, with grpc.aio.

usage: chat_aio.py [ADDRESS]    (README.md says how to make the stubs)
"""

import asyncio
import os
import sys

import grpc
from grpc_status import rpc_status
from modelgateway.v1 import gateway_pb2 as gateway
from modelgateway.v1 import gateway_pb2_grpc

# "HOST:PORT" or "unix:/PATH".
ADDRESS = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MODEL_GATEWAY_ADDRESS", "127.0.0.1:7411")
MODEL = os.environ.get("MODEL_GATEWAY_MODEL", "default")

# For the whole call, retries and the stream to its last event included. The gateway passes it on, so that nobody works
# for a caller who has gone; a task that is cancelled cancels its call likewise.
DEADLINE_SECONDS = 60

# Answers with media or vectors can be larger than the 4 MiB that gRPC takes by default.
OPTIONS = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]

# Of your own choice; it is in the gateway's log line and in the report of the answer.
METADATA = (("x-correlation-id", "example-aio"),)


def request(text, model=MODEL):
    message = gateway.Message(role=gateway.ROLE_USER, parts=[gateway.Part(text=text)])
    return gateway.ChatRequest(model=model, messages=[message])


async def chat(stub):
    response = await stub.Chat(request("Say hello."), timeout=DEADLINE_SECONDS, metadata=METADATA)
    return "".join(part.text for part in response.choices[0].message.parts), response.report


async def stream_chat(stub):
    text, report = "", None
    async for event in stub.StreamChat(request("Count to three."), timeout=DEADLINE_SECONDS, metadata=METADATA):
        kind = event.WhichOneof("kind")
        if kind == "delta":
            text += event.delta.part.text
        elif kind == "completed":
            report = event.completed.report
    return text, report


async def refused_chat(stub):
    try:
        await stub.Chat(request("Hello?", model="no-such-model"), timeout=DEADLINE_SECONDS, metadata=METADATA)
    except grpc.aio.AioRpcError as error:
        print("refused:", explain(error))


def detail_of(error):
    """The ErrorDetail of the status details; None where gRPC itself failed the call (no connection, its own clock)."""
    status = rpc_status.from_call(error)
    for packed in status.details if status else []:
        detail = gateway.ErrorDetail()
        if packed.Unpack(detail):
            return detail
    return None


def explain(error):
    text = f"{error.code().name}: {error.details()}"
    detail = detail_of(error)
    if detail is None:
        return text
    text += f"\n  {gateway.ErrorKind.Name(detail.kind)}, the fault of the {detail.fault}"
    if detail.field:
        text += f", at {detail.field}"
    if detail.provider:
        text += f", by {detail.provider}: {detail.provider_code} {detail.provider_message}"
    if detail.HasField("retry_after"):
        text += f", again in {detail.retry_after.ToJsonString()}"
    return text + f", request {detail.report.request_id}"


async def main():
    async with grpc.aio.insecure_channel(ADDRESS, options=OPTIONS) as channel:
        stub = gateway_pb2_grpc.ModelGatewayStub(channel)
        try:
            answers = await asyncio.gather(chat(stub), stream_chat(stub))
            for way, (text, report) in zip(("whole", "streamed"), answers):
                print(f"{way}: {text}\n  served by {report.provider}/{report.model}")
            await refused_chat(stub)
        except grpc.aio.AioRpcError as error:
            return explain(error)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
