#include "daemon/call_keys.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {
namespace {

constexpr absl::string_view kMessage = "x-modelgateway-credentials-bin";
constexpr absl::string_view kPair = "x-modelgateway-api-key";

absl::Status Refuse(absl::string_view metadata_key, absl::string_view why) {
  return FieldError(ErrorClass::kInvalidRequest, metadata_key,
                    absl::StrCat(metadata_key, ": ", why));
}

// What HTTP allows as the value of a header.
bool IsHeaderText(const Secret& secret) {
  const absl::string_view text = secret.Reveal();
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

absl::string_view NameOf(KeyForm form) {
  switch (form) {
    case KeyForm::kApiKey:
      return "api_key";
    case KeyForm::kBearerToken:
      return "bearer_token";
    case KeyForm::kAws:
      return "aws";
  }
  return "";
}

bool IsComplete(KeyForm form, const Secrets& secrets) {
  if (form != KeyForm::kAws) return !secrets.key.empty();
  return !secrets.aws.access_key_id.empty() && !secrets.aws.secret_access_key.empty();
}

std::vector<absl::string_view> Texts(const Secrets& secrets) {
  std::vector<absl::string_view> texts;
  for (const Secret* secret : {&secrets.key, &secrets.aws.access_key_id,
                               &secrets.aws.secret_access_key, &secrets.aws.session_token}) {
    if (!secret->empty()) texts.push_back(secret->Reveal());
  }
  return texts;
}

}  // namespace

absl::StatusOr<CallKeys> CallKeys::Of(const Rpc& rpc, const Snapshot& snapshot) {
  CallKeys keys;
  for (const absl::string_view bytes : rpc.MetadataValues(kMessage)) {
    if (absl::Status status = keys.AddMessage(snapshot, bytes); !status.ok()) return status;
  }
  for (const absl::string_view pair : rpc.MetadataValues(kPair)) {
    if (absl::Status status = keys.AddPair(snapshot, pair); !status.ok()) return status;
  }
  return keys;
}

absl::Status CallKeys::AddPair(const Snapshot& snapshot, absl::string_view pair) {
  const size_t equals = pair.find('=');
  if (equals == absl::string_view::npos) {
    return Refuse(kPair, "must be PROVIDER=KEY; there is no \"=\" in it");
  }
  Secrets secrets;
  secrets.key = Secret(std::string(pair.substr(equals + 1)));
  return Add(snapshot, kPair, pair.substr(0, equals), KeyForm::kApiKey, std::move(secrets));
}

absl::Status CallKeys::AddMessage(const Snapshot& snapshot, absl::string_view bytes) {
  v1::CallCredentials message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Refuse(kMessage, "is no modelgateway.v1.CallCredentials");
  }
  for (auto& [provider, credentials] : *message.mutable_by_provider()) {
    Secrets secrets;
    KeyForm form = KeyForm::kApiKey;
    switch (credentials.kind_case()) {
      case v1::Credentials::kApiKey:
        secrets.key = Secret(std::move(*credentials.mutable_api_key()));
        break;
      case v1::Credentials::kBearerToken:
        form = KeyForm::kBearerToken;
        secrets.key = Secret(std::move(*credentials.mutable_bearer_token()));
        break;
      case v1::Credentials::kAws:
        form = KeyForm::kAws;
        secrets.aws.access_key_id =
            Secret(std::move(*credentials.mutable_aws()->mutable_access_key_id()));
        secrets.aws.secret_access_key =
            Secret(std::move(*credentials.mutable_aws()->mutable_secret_access_key()));
        secrets.aws.session_token =
            Secret(std::move(*credentials.mutable_aws()->mutable_session_token()));
        break;
      case v1::Credentials::KIND_NOT_SET:
        return Refuse(kMessage, absl::StrCat("by_provider[\"", provider,
                                             "\"] has no api_key, bearer_token or aws"));
    }
    if (absl::Status status = Add(snapshot, kMessage, provider, form, std::move(secrets));
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CallKeys::Add(const Snapshot& snapshot, absl::string_view metadata_key,
                           absl::string_view provider, KeyForm form, Secrets secrets) {
  const Provider* const found = snapshot.FindProvider(provider);
  if (found == nullptr) {
    return Refuse(metadata_key,
                  "names a provider that this gateway does not have; ListModels tells their names");
  }
  if (!IsComplete(form, secrets)) {
    return Refuse(metadata_key, absl::StrCat("the ", NameOf(form), " for ", provider, " is empty"));
  }
  if (!found->Takes(form)) {
    return Refuse(metadata_key, absl::StrCat(provider, " takes no ", NameOf(form)));
  }
  for (const Secret* secret :
       {&secrets.key, &secrets.aws.access_key_id, &secrets.aws.session_token}) {
    if (!IsHeaderText(*secret)) {
      return Refuse(metadata_key, absl::StrCat("the ", NameOf(form), " for ", provider,
                                               " holds a character that HTTP does not allow"));
    }
  }
  auto key = std::make_unique<CallKey>(CallKey{form, FixedSecrets(std::move(secrets))});
  if (!by_provider_.emplace(provider, std::move(key)).second) {
    return Refuse(metadata_key, absl::StrCat("there is more than one key for ", provider));
  }
  return absl::OkStatus();
}

const CallKey* CallKeys::For(absl::string_view provider) const {
  if (by_provider_.empty()) return nullptr;
  const auto found = by_provider_.find(provider);
  return found == by_provider_.end() ? nullptr : found->second.get();
}

absl::Status CallKeys::Judged(absl::string_view provider, absl::Status status) const {
  const CallKey* const key = For(provider);
  if (key == nullptr || status.ok()) return status;
  const Scrubber scrubber(Texts(*key->secrets.Now()));
  std::string text(status.message());
  scrubber.Scrub(&text);
  v1::ErrorDetail detail = DetailOf(status);
  scrubber.Scrub(detail.mutable_provider_message());
  ErrorClass error_class = ClassOf(status);
  if (error_class == ErrorClass::kCredential) {
    error_class = ErrorClass::kCallerCredential;
    detail.clear_fault();
  }
  absl::Status judged = MakeError(error_class, std::move(detail), text);
  if (SameCandidateForbidden(status)) ForbidSameCandidate(&judged);
  return judged;
}

}  // namespace mg
