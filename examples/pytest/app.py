"""An application as it might be yours: it answers questions about the weather with a model behind the gateway."""

import json

import grpc
from modelgateway.v1 import gateway_pb2 as gateway
from modelgateway.v1 import gateway_pb2_grpc

SORRY = "I cannot tell right now; please ask again later."
WEATHER = gateway.Tool(name="weather", description="The weather in a town.", parameters_schema_json=json.dumps(
    {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}))


class Assistant:
    def __init__(self, channel, weather_in, metadata=()):
        """`weather_in(town)` looks it up; `metadata` goes with every call."""
        self.stub = gateway_pb2_grpc.ModelGatewayStub(channel)
        self.weather_in = weather_in
        self.metadata = metadata

    def answer(self, question):
        asked = gateway.Message(role=gateway.ROLE_USER, parts=[gateway.Part(text=question)])
        try:
            return self.converse([asked])
        except grpc.RpcError:
            return SORRY

    def converse(self, messages):
        request = gateway.ChatRequest(model="default", messages=messages, tools=[WEATHER])
        message = self.stub.Chat(request, timeout=60, metadata=self.metadata).choices[0].message
        calls = [part.tool_call for part in message.parts if part.WhichOneof("kind") == "tool_call"]
        if not calls:
            return "".join(part.text for part in message.parts)
        results = [gateway.Part(tool_result=gateway.ToolResult(
            tool_call_id=call.id, name=call.name,
            parts=[gateway.Part(text=self.weather_in(json.loads(call.arguments_json)["town"]))])) for call in calls]
        return self.converse([*messages, message, gateway.Message(role=gateway.ROLE_TOOL, parts=results)])
