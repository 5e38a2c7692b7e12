// A dialect is the JSON shape that a provider speaks; a platform is where and who (URL,
// authentication); an adapter is one of each. All three are stateless, const and shared by all
// threads: bytes and values in, bytes and values out, no clock and no I/O.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "adapters/model_list.h"
#include "adapters/model_traits.h"
#include "base/error.h"
#include "base/http_message.h"
#include "base/secret.h"
#include "base/time.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// What of the candidate and the configuration a dialect must know to write a request and read its
// answer.
struct DialectContext {
  std::string provider;  // its name in the configuration; a key of provider_options
  std::string model;     // as the provider names it
  bool compatible =
      false;  // an OpenAI-compatible server: the strict-request rules of providers.md §8 hold
  bool refuse_unsupported = false;      // unsupported_parameters: refuse
  bool google_compatible = false;       // IsGoogleCompatible(base_url): its usage hides thinking
  std::string api_version = {};         // as configured, where the API has versions; else empty
  std::string deployment = {};          // the name that the model has there; empty: its own
  std::string preset = {};              // of a compatible server ("groq"); "azure"; else empty
  bool beta = false;                    // the base URL ends in /beta
  const ModelTraits* traits = nullptr;  // what the configuration says of the model; null: nothing
};

// The name by which the tables know the model.
inline absl::string_view KnownModel(const DialectContext& context) {
  const bool other = context.traits != nullptr && !context.traits->base_model.empty();
  return other ? context.traits->base_model : context.model;
}

// Can the model do it? `known`: what the tables say, which holds where the configuration is silent.
inline bool HasCapability(const DialectContext& context, absl::string_view word, bool known) {
  return context.traits == nullptr ? known : context.traits->Has(word, known);
}

// Does it take temperature, top_p and their like? Likewise.
inline bool TakesSampling(const DialectContext& context, bool known) {
  return context.traits == nullptr ? known : context.traits->sampling.value_or(known);
}

// The model as the request names it.
inline absl::string_view SentModel(const DialectContext& context) {
  return context.deployment.empty() ? context.model : context.deployment;
}

struct EncodedRequest {
  HttpRequest http;                   // url: the path beneath the base URL ("/chat/completions")
  std::vector<v1::Warning> warnings;  // what was dropped, emulated or changed
};

// Reads one answer, whatever its HTTP framing, and tells it as the events of the contract. The
// unary answer is read as events too (few and large), so that Chat is the fold of what StreamChat
// sends.
//
// Events: Started first (id, model, created: what is known), then deltas and, at the very end, one
// ChoiceFinished a choice and one Completed (usage, provider_metadata; the report is added by the
// caller). Finishes and Completed are held until nothing can follow them: they come out of Feed at
// the terminal marker, or out of Finish. Every string is valid UTF-8; no event is larger than 1 MiB
// where it can be cut. An error that the provider put into the stream, a malformed piece or a cap
// that is exceeded comes back as the status (a class of base/error.h) after the events that came
// before it; a decoder that has failed is not fed again.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // The next bytes of the body, cut anywhere.
  virtual absl::Status Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) = 0;

  // The body is over: cleanly, or (`clean` false) by a reset. Decides what a missing end means:
  // completes the answer where every choice has its finish reason, kEmpty where there was neither
  // content nor finish, else kInterrupted.
  virtual absl::Status Finish(bool clean, std::vector<v1::ChatEvent>* events) = 0;

  // The terminal marker was seen and Completed was given out: the body's rest says nothing.
  virtual bool done() const = 0;
  // Bytes of the body that are no event yet: they count as a buffer of the call.
  virtual size_t kept_bytes() const { return 0; }
  // Every choice that was begun has its finish reason: silence may end the answer
  // (timeouts.stream_end).
  virtual bool finished() const = 0;
};

// The inputs of an EmbedRequest that go upstream in one request.
struct EmbedBatch {
  int first = 0;
  int count = 0;
};

class AnswerSchema;

// How a model is brought to answer by a JSON schema (spec/providers.md §9.1).
enum class SchemaMeans {
  kNative,       // EncodeChat writes the schema, and the provider holds to it
  kOwnWords,     // EncodeChat writes it as words of the prompt, and says so by a warning
  kForcedTool,   // the one tool that must be called has it as its parameters
  kInstruction,  // a system message asks for it
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // "openai": a key of provider_options and of Tool.hosted.
  virtual absl::string_view name() const = 0;

  // kUnsupportedField or kInvalidRequest, with the field, where the request cannot be served by
  // this candidate.
  virtual absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                                    const DialectContext& context,
                                                    bool stream) const = 0;

  // Of a request with a JSON schema, the first to be tried; ChatCodec rewrites the request for the
  // last two. Where EncodeChat refuses the schema or the tool (kUnsupportedField), words it is.
  virtual SchemaMeans SchemaMeansOf(const v1::ChatRequest& request, const AnswerSchema& schema,
                                    const DialectContext& context) const;

  // For a 2xx answer; chosen by its media type, since a stream may be answered whole and the other
  // way round. An answer that cannot be one (text/html) is kMalformed. `request` and `context` must
  // outlive the decoder.
  virtual absl::StatusOr<std::unique_ptr<Decoder>> NewChatDecoder(const v1::ChatRequest& request,
                                                                  const DialectContext& context,
                                                                  const HttpHead& head) const = 0;

  // The error of a non-2xx answer: class, provider_code, provider_message (sanitised), field,
  // http_status and retry_after. `wall_now` reads HTTP dates where the answer has no Date.
  virtual absl::Status DecodeError(const DialectContext& context, const HttpHead& head,
                                   absl::string_view body, absl::Time wall_now) const = 0;

  // How the inputs are cut: at the provider's limit, texts and token lists apart. Refuses what this
  // candidate cannot embed (kInvalidRequest or kUnsupportedField, with the field;
  // kUnsupportedMethod for a dialect without embeddings).
  virtual absl::StatusOr<std::vector<EmbedBatch>> CutEmbed(const v1::EmbedRequest& request,
                                                           const DialectContext& context) const = 0;
  // One batch of a request that CutEmbed has passed.
  virtual absl::StatusOr<EncodedRequest> EncodeEmbed(const v1::EmbedRequest& request,
                                                     const DialectContext& context,
                                                     EmbedBatch batch) const = 0;
  // The 2xx answer to that batch: its embeddings are appended in the order of the inputs, its usage
  // is added. kMalformed where they are not as many as the inputs.
  virtual absl::Status DecodeEmbed(const DialectContext& context, EmbedBatch batch,
                                   absl::string_view body, v1::EmbedResponse* response) const = 0;
  // Adds the usage that the head of that answer tells, for models whose body, which DecodeEmbed has
  // passed, does not.
  virtual void AddEmbedUsage(const DialectContext& /*context*/, const HttpHead& /*head*/,
                             absl::string_view /*body*/, v1::EmbedResponse* /*response*/) const {}

  // For a dialect whose provider counts tokens itself (Capabilities has "count_tokens"); others
  // refuse (kUnsupportedMethod). kUnsupportedField: the endpoint does not count this prompt.
  virtual absl::StatusOr<EncodedRequest> EncodeCount(const v1::CountTokensRequest& request,
                                                     const DialectContext& context) const;
  // The 2xx answer to that: the number, its bounds, its accuracy and its method.
  virtual absl::Status DecodeCount(const DialectContext& context, absl::string_view body,
                                   v1::CountTokensResponse* response) const;

  // What a model can do in this dialect, in the words of spec/providers.md §9.
  virtual std::vector<absl::string_view> Capabilities(const DialectContext& context) const = 0;

  // The id that the provider's support asks for ("x-request-id"); empty if there is none.
  virtual std::string ProviderRequestId(const HttpHead& head) const = 0;
};

// Where and who, from the configuration of one provider.
struct PlatformConfig {
  std::string base_url;  // no slash at its end
  HttpHeaders
      headers;  // configured ones; they replace ours of the same name, compared without case
  std::string organization;
  std::string project;
  std::string location = {};
  std::string api_version = {};
  bool bearer = false;  // the key is a bearer token, where the API takes keys of both forms
  std::string region = {};
  std::map<std::string, std::string> deployments = {};  // model → the name that it has there
  std::string preset = {};
};

// Who asks, as AWS knows its customers.
struct AwsKeys {
  Secret access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: the keys are no temporary ones
};

// By what a provider knows who asks.
struct Secrets {
  Secret key;  // an API key or a bearer token; empty: none
  AwsKeys aws;
};

// Where the secrets of one provider come from. Configured ones stand still (FixedSecrets); a chain
// that fetches and refreshes them is another source. Any thread may ask.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // Those that hold now; who has them keeps them, whatever is fetched meanwhile.
  virtual std::shared_ptr<const Secrets> Now() const = 0;
};

class FixedSecrets final : public SecretSource {
 public:
  explicit FixedSecrets(Secrets secrets)
      : secrets_(std::make_shared<const Secrets>(std::move(secrets))) {}
  std::shared_ptr<const Secrets> Now() const override { return secrets_; }

 private:
  const std::shared_ptr<const Secrets> secrets_;
};

class Platform {
 public:
  virtual ~Platform() = default;
  // Makes the URL whole and adds the headers, authentication included. `key` may be empty (a server
  // without one).
  virtual void Prepare(const PlatformConfig& config, const Secret& key, absl::Time wall_now,
                       HttpRequest* request) const = 0;
  // The same by what the source has: its key, unless the platform wants other secrets too.
  // kCredential where it has none of those without which nobody answers.
  virtual absl::Status PrepareFrom(const PlatformConfig& config, const SecretSource& source,
                                   absl::Time wall_now, HttpRequest* request) const;
  // Whether requests are signed with keys of AWS.
  virtual bool TakesAwsKeys() const { return false; }
};

struct Adapter {
  const Dialect* dialect = nullptr;
  const Platform* platform = nullptr;
  absl::string_view default_base_url;  // empty: base_url is required, or its platform knows
  bool compatible = false;
  const ModelListShape* models = nullptr;  // null: it has no list that can be asked for
};

// By kind of provider in the configuration ("openai", "openai_compatible"); nullptr for one that is
// not reached by HTTP or not known. The table is adapters/registry.cc: a new dialect is one file
// and one line there.
const Adapter* FindAdapter(absl::string_view kind);
// Where a provider of this kind is, and of this preset ("groq") where the kind has them; empty:
// that must be configured.
std::string DefaultBaseUrl(const Adapter& adapter, absl::string_view preset);
// Does this base URL lead to Google's OpenAI-compatible endpoint (…/v1beta/openai)?
bool IsGoogleCompatible(absl::string_view base_url);
// The names of all dialects, which `provider_options` may use as keys.
std::vector<absl::string_view> DialectNames();

}  // namespace mg
