// Prompt strings of the time before chat messages, as chat messages (spec/providers.md §12). Pure;
// any thread, and the time it takes grows with the length of the prompt alone.
//
// Tags are read here and nowhere else: in a message's text they are plain text, since a stranger's
// words may hold them.
#pragma once

#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// The messages of `prompt`, by its format; at least one. A prompt that is none of its format, or a
// malformed one (an unclosed tag, an unknown role, words between the turns), is one user message
// with the whole text, never an error. A last message of the assistant is a beginning that the
// model is to continue. Left out are the blank turn at the end that is the assistant's cue, and
// blank turns of system and assistant anywhere; a blank user turn stays and is refused as in any
// request.
google::protobuf::RepeatedPtrField<v1::Message> MessagesOf(const v1::LegacyPrompt& prompt);

}  // namespace mg
