// A caller in Go, with stubs made from gateway.proto alone: one call by its command, its outcome as JSON on stdout.
//
// usage: go_client ADDRESS COMMAND MODEL TEXT
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	gateway "modelgateway.io/proto/modelgateway/v1"
)

// What is printed: the code's name in Go, and either an answer or what the error carries.
type outcome struct {
	Code    string          `json:"code"`
	Message string          `json:"message,omitempty"`
	Detail  json.RawMessage `json:"detail,omitempty"`
	Events  []string        `json:"events,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

type caller struct {
	gateway.ModelGatewayClient
	model, text string
}

func main() {
	if len(os.Args) != 5 {
		fail(errors.New("usage: go_client ADDRESS COMMAND MODEL TEXT"))
	}
	connection, err := grpc.Dial(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fail(err)
	}
	defer connection.Close()
	c := caller{gateway.NewModelGatewayClient(connection), os.Args[3], os.Args[4]}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "x-correlation-id", "go-"+os.Args[2])
	var result outcome
	switch os.Args[2] {
	case "chat":
		result = unary(c.Chat(ctx, c.request()))
	case "stream":
		result = c.stream(ctx, func() {})
	case "embed":
		result = unary(c.Embed(ctx, &gateway.EmbedRequest{Model: c.model, Inputs: []*gateway.EmbedInput{{Text: c.text}}}))
	case "count_tokens":
		result = unary(c.CountTokens(ctx, &gateway.CountTokensRequest{Chat: c.request()}))
	case "list_models":
		result = unary(c.ListModels(ctx, &gateway.ListModelsRequest{}))
	case "deadline":
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		result = unary(c.Chat(short, c.request()))
	case "cancel": // as soon as the stream has begun
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		result = c.stream(cancelled, cancel)
	default:
		fail(fmt.Errorf("%q is no command", os.Args[2]))
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (c caller) request() *gateway.ChatRequest {
	part := &gateway.Part{Kind: &gateway.Part_Text{Text: c.text}}
	message := &gateway.Message{Role: gateway.Role_ROLE_USER, Parts: []*gateway.Part{part}}
	return &gateway.ChatRequest{Model: c.model, Messages: []*gateway.Message{message}}
}

func asJSON(message proto.Message) json.RawMessage {
	text, err := protojson.Marshal(message)
	if err != nil {
		fail(err)
	}
	return text
}

func unary[T proto.Message](answer T, err error) outcome {
	if err != nil {
		return failure(err)
	}
	return outcome{Code: "OK", Answer: asJSON(answer)}
}

// The ErrorDetail is in grpc-status-details-bin; Details() knows it by the stubs.
func failure(err error) outcome {
	result := outcome{Code: status.Code(err).String(), Message: status.Convert(err).Message()}
	for _, detail := range status.Convert(err).Details() {
		if ours, is := detail.(*gateway.ErrorDetail); is {
			result.Detail = asJSON(ours)
		}
	}
	return result
}

// All events, folded into the answer that Chat would have given.
func (c caller) stream(ctx context.Context, afterFirst func()) outcome {
	stream, err := c.StreamChat(ctx, c.request())
	if err != nil {
		return failure(err)
	}
	folded := &gateway.ChatResponse{}
	var events []string
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return outcome{Code: "OK", Events: events, Answer: asJSON(folded)}
		}
		if err != nil {
			result := failure(err)
			result.Events = events
			return result
		}
		events = append(events, fold(event, folded))
		if len(events) == 1 {
			afterFirst()
		}
	}
}

// Adds the event, of an answer of text, and says of which kind it is.
func fold(event *gateway.ChatEvent, answer *gateway.ChatResponse) string {
	switch kind := event.Kind.(type) {
	case *gateway.ChatEvent_Started_:
		answer.Id, answer.Model, answer.Created = kind.Started.Id, kind.Started.Model, kind.Started.Created
		return "started"
	case *gateway.ChatEvent_Delta_:
		message := choice(answer, kind.Delta.ChoiceIndex).Message
		for int(kind.Delta.PartIndex) >= len(message.Parts) {
			message.Parts = append(message.Parts, &gateway.Part{})
		}
		part := message.Parts[kind.Delta.PartIndex]
		part.Kind = &gateway.Part_Text{Text: part.GetText() + kind.Delta.Part.GetText()}
		return "delta"
	case *gateway.ChatEvent_Finished:
		choice(answer, kind.Finished.ChoiceIndex).Finish = kind.Finished.Finish
		return "finished"
	case *gateway.ChatEvent_Completed_:
		answer.Usage, answer.Report = kind.Completed.Usage, kind.Completed.Report
		return "completed"
	}
	return "unknown"
}

func choice(answer *gateway.ChatResponse, index int32) *gateway.Choice {
	for int(index) >= len(answer.Choices) {
		message := &gateway.Message{Role: gateway.Role_ROLE_ASSISTANT}
		answer.Choices = append(answer.Choices, &gateway.Choice{Index: int32(len(answer.Choices)), Message: message})
	}
	return answer.Choices[index]
}
