"""The application's tests: the real gateway, and a model that says what the test wants."""

import grpc
import pytest

from app import SORRY, Assistant


@pytest.fixture
def assistant(model_gateway, mock):
    with grpc.insecure_channel(model_gateway.address) as channel:
        yield Assistant(channel, weather_in={"Oslo": "snow"}.get, metadata=mock.metadata)


def test_an_answer_is_handed_on(assistant, mock):
    mock.script("Sunny, as always.")
    assert assistant.answer("How is the weather?") == "Sunny, as always."


def test_a_tool_is_asked_and_its_result_goes_back(assistant, mock):
    call = {"id": "call-1", "name": "weather", "argumentsJson": '{"town": "Oslo"}'}
    mock.script({"chat": {"choices": [{"message": {"parts": [{"toolCall": call}]}}]}}, "It snows in Oslo.")
    assert assistant.answer("How is the weather in Oslo?") == "It snows in Oslo."
    first, second = mock.calls()
    assert [tool["name"] for tool in first["chat"]["tools"]] == ["weather"]
    result = second["chat"]["messages"][-1]["parts"][0]["toolResult"]
    assert result["toolCallId"] == "call-1"
    assert result["parts"][0]["text"] == "snow"


def test_the_gateway_tries_again_where_that_can_help(assistant, mock):
    mock.script({"fault": {"status": 503}}, "Sunny.")
    assert assistant.answer("How is the weather?") == "Sunny."
    assert [call["outcome"] for call in mock.calls()] == ["overloaded", "ok"]


def test_a_failure_is_told_kindly(assistant, mock):
    mock.script({"fault": {"status": 400}})
    assert assistant.answer("How is the weather?") == SORRY


def test_rules_answer_as_often_as_they_are_asked(assistant, mock):
    mock.rules({"lastUser": "(?i)rain", "reply": {"text": "It rains."}})
    assert [assistant.answer(text) for text in ("Rain?", "rain!", "Snow?")] == ["It rains.", "It rains.", "Snow?"]
