// Providers: names, where they are, what is sent to them, and the rules of mocks.
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "daemon/config/address.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

constexpr size_t kMaxCaBytes = 4 << 20;

// Headers that are the transport's, and those that carry the key.
constexpr const char* kTransportHeaders[] = {
    "connection", "content-length", "host",    "keep-alive",        "proxy-connection",
    "te",         "trailer",        "upgrade", "transfer-encoding", "proxy-authenticate"};
constexpr const char* kKeyHeaders[] = {"authorization", "proxy-authorization", "api-key",
                                       "x-api-key", "x-goog-api-key"};

bool IsToken(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        absl::string_view("!#$%&'*+-.^_`|~").find(c) == absl::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

// What may stand in the value of a header: no control character but the tab.
bool IsHeaderValue(absl::string_view text) {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

template <size_t N>
bool OneOf(absl::string_view text, const char* const (&list)[N]) {
  return std::any_of(std::begin(list), std::end(list),
                     [text](const char* one) { return one == text; });
}

void CheckHeaders(const v1::HttpProviderConfig& http, const std::string& path, Findings* findings) {
  std::set<std::string> seen;
  for (const std::string& name : NamesOf(http.headers())) {
    const std::string at = absl::StrCat(path, ".headers.", name);
    const std::string lower = absl::AsciiStrToLower(name);
    if (!IsToken(name)) findings->Add(at, "is no name of a header");
    if (OneOf(lower, kTransportHeaders))
      findings->Add(at, "belongs to the connection and is not to be set");
    if (OneOf(lower, kKeyHeaders)) findings->Add(at, "carries the key, which goes into api_key");
    if (!seen.insert(lower).second) findings->Add(at, "is there twice: case does not count");
    if (!IsHeaderValue(http.headers().at(name))) {
      findings->Add(at, "has a line break or another control character in its value");
    }
  }
}

void CheckHttp(const v1::HttpProviderConfig& http, const std::string& path, const Outside& outside,
               Findings* findings) {
  CheckHeaders(http, path, findings);
  if (!http.ca_file().empty()) {
    const absl::StatusOr<FileContent> file = outside.file(http.ca_file(), kMaxCaBytes);
    if (!file.ok()) {
      findings->Add(absl::StrCat(path, ".ca_file"),
                    absl::StrCat("cannot be read: ", file.status().message()));
    } else if (file->text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      findings->Add(absl::StrCat(path, ".ca_file"), "has no certificate in PEM form");
    }
  }
  if (!http.proxy().empty()) {
    const absl::StatusOr<BaseUrl> proxy = ParseBaseUrl(http.proxy());
    if (!proxy.ok()) {
      findings->Add(absl::StrCat(path, ".proxy"),
                    absl::StrCat("must be http://HOST:PORT or https://HOST:PORT, without user and "
                                 "password (a proxy that wants them is named by HTTPS_PROXY in the "
                                 "environment): it ",
                                 proxy.status().message()));
    } else if (!proxy->path.empty()) {
      findings->Add(absl::StrCat(path, ".proxy"), "has a path, which a proxy cannot have");
    }
  }
}

// The address of a listener at which this URL would reach the gateway itself; empty: none.
std::string OwnListener(const BaseUrl& url, const v1::Config& config) {
  if (!IsLoopback(url.host)) return "";
  const v1::Listen& listen = config.listen();
  const auto has = [&url](const v1::AddressList& list, bool written, int by_default) {
    if (!written) return url.port == by_default;
    for (const std::string& text : list.addresses()) {
      const absl::StatusOr<Address> address = ParseAddress(text);
      if (address.ok() && !address->is_unix() && address->port == url.port) return true;
    }
    return false;
  };
  if (has(listen.grpc(), listen.has_grpc(), 7411)) return "listen.grpc";
  if (has(listen.admin(), listen.has_admin(), 7413)) return "listen.admin";
  return "";
}

void CheckBaseUrl(const std::string& text, bool allow_insecure, const v1::Config& config,
                  const std::string& path, Findings* findings) {
  if (text.empty()) return;
  const absl::StatusOr<BaseUrl> url = ParseBaseUrl(text);
  if (!url.ok()) {
    findings->Add(path, url.status().message());
    return;
  }
  if (!url->https && !IsLoopback(url->host) && !allow_insecure) {
    findings->Add(path,
                  "is http:// beyond loopback: key and prompts would travel in the clear. Use "
                  "https://, or write allow_insecure: true beside it");
  } else if (IsLinkLocal(url->host) && !allow_insecure) {
    findings->Add(path,
                  "is a link-local address, where clouds keep their metadata: write "
                  "allow_insecure: true beside it if it is meant");
  }
  const std::string own = OwnListener(*url, config);
  if (!own.empty()) {
    findings->Add(path, absl::StrCat("is the gateway's own listener (", own,
                                     "): calls would go in a circle"));
  }
}

void CheckFault(const v1::MockFault& fault, const std::string& path, Findings* findings) {
  if (fault.has_malformed() && !fault.malformed()) {
    findings->Add(absl::StrCat(path, ".malformed"),
                  "can only be true: leave the key out for no fault");
  }
}

void CheckMock(const v1::MockConfig& mock, const std::string& path, Findings* findings) {
  std::set<std::string> models;
  for (int i = 0; i < mock.models_size(); ++i) {
    if (!models.insert(mock.models(i)).second) {
      findings->Add(absl::StrCat(path, ".models[", i, "]"), "is there twice");
    }
  }
  CheckFault(mock.fault(), absl::StrCat(path, ".fault"), findings);
  for (int i = 0; i < mock.rules_size(); ++i) {
    const v1::MockRule& rule = mock.rules(i);
    const std::string at = absl::StrCat(path, ".rules[", i, "]");
    if (!rule.has_reply() && !rule.has_fault()) {
      findings->Add(at, "needs a reply, a fault or both");
    }
    if (rule.reply().has_echo() && !rule.reply().echo()) {
      findings->Add(absl::StrCat(at, ".reply.echo"),
                    "can only be true: write text for another reply");
    }
    CheckFault(rule.fault(), absl::StrCat(at, ".fault"), findings);
    const RE2 pattern(rule.last_user(), RE2::Quiet);
    if (!pattern.ok()) {
      findings->Add(absl::StrCat(at, ".last_user"),
                    absl::StrCat("is no regular expression of RE2: ", pattern.error()));
    }
  }
}

void CheckName(const std::string& name, const std::string& kind, Findings* findings) {
  const std::string path = absl::StrCat("providers.", name);
  if (!IsName(name)) {
    findings->Tell(path, "a provider's name has letters, digits, '.', '_' and '-', at most 128");
  }
  // `provider_options` and `Tool.hosted` of a request name a provider or a dialect.
  bool is_dialect = false;
  bool speaks_it = false;
  for (const ProviderKind& each : ProviderKinds()) {
    is_dialect = is_dialect || each.dialect == name;
    speaks_it = speaks_it || (each.dialect == name && each.name == kind);
  }
  if (is_dialect && !speaks_it && !kind.empty()) {
    findings->Tell(path,
                   "is the name of a dialect that this provider does not speak: provider_options "
                   "of a request could mean either");
  }
}

// Texts that become headers.
void CheckSent(const v1::ProviderConfig& provider, const std::string& path, Findings* findings) {
  for (const char* key : {"organization", "project"}) {
    if (IsHeaderValue(TextOf(provider, key))) continue;
    findings->Add(absl::StrCat(path, ".", key), "has a control character");
  }
}

void CheckAnthropic(const v1::AnthropicConfig& anthropic, const std::string& path,
                    Findings* findings) {
  const std::string& version = anthropic.version();
  const bool date = version.size() == 10 && version[4] == '-' && version[7] == '-' &&
                    version.find_first_not_of("0123456789-") == std::string::npos;
  if (!version.empty() && !date) {
    findings->Add(absl::StrCat(path, ".version"), "must be a date: 2023-06-01");
  }
  for (const auto& [name, value] : anthropic.http().headers()) {
    if (absl::EqualsIgnoreCase(name, "anthropic-version")) {
      findings->Add(absl::StrCat(path, ".headers.", name), "is said by the key version");
    }
  }
}

// What becomes a step of the path, or of the host's name.
bool IsPathWord(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                              c == '_' || c == '.' || c == ':';
                     }) &&
         text != "." && text != "..";
}

void CheckGemini(const v1::GeminiConfig& gemini, const std::string& path, Findings* findings) {
  if (IsPathWord(gemini.api_version())) return;
  findings->Add(absl::StrCat(path, ".api_version"), "must be one word: v1beta");
}

void CheckVertex(const v1::VertexConfig& vertex, const std::string& path, Findings* findings) {
  if (!IsPathWord(vertex.project())) {
    findings->Add(absl::StrCat(path, ".project"), "must be the id of a project: my-project");
  }
  if (!IsPathWord(vertex.location())) {
    findings->Add(absl::StrCat(path, ".location"), "must be a region, us, eu or global");
  }
  if (!vertex.project().empty()) return;
  if (vertex.has_bearer_token()) {
    findings->Add(absl::StrCat(path, ".bearer_token"),
                  "needs project beside it: only an API key says which it is");
  }
  if (!vertex.location().empty()) {
    findings->Add(absl::StrCat(path, ".location"), "needs project beside it");
  }
}

void CheckBedrock(const v1::BedrockConfig& bedrock, const std::string& path, Findings* findings) {
  const std::string at = absl::StrCat(path, ".region");
  if (bedrock.region().empty()) {
    if (!bedrock.base_url().empty() && bedrock.has_api_key()) return;  // in neither of them
    findings->Tell(at,
                   "is missing: write it, or set AWS_REGION or AWS_DEFAULT_REGION, since address "
                   "and signatures have it");
    return;
  }
  for (const char c : bedrock.region()) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '-') continue;
    findings->Tell(at, "is no region: it has a-z, 0-9 and - alone, as us-east-1 has");
    return;
  }
}

void CheckAzure(const v1::AzureOpenAiConfig& azure, const std::string& path, Findings* findings) {
  static const auto* const kVersion = new RE2("\\d{4}-\\d{2}-\\d{2}(-preview)?");
  if (!azure.api_version().empty() && !RE2::FullMatch(azure.api_version(), *kVersion)) {
    findings->Add(absl::StrCat(path, ".api_version"),
                  "must be a date, of a preview too: 2024-10-21, 2025-04-01-preview");
  }
  for (const auto& [model, deployment] : azure.deployments()) {
    if (!deployment.empty()) continue;
    findings->Add(absl::StrCat(path, ".deployments.", model), "is empty");
  }
}

}  // namespace

void ValidateProviders(const v1::Config& config, const Outside& outside, Findings* findings) {
  const auto& providers = config.providers();
  const bool has_mock = std::any_of(providers.begin(), providers.end(),
                                    [](const auto& each) { return each.second.has_mock(); });
  if (config.mock_control() && !has_mock) {
    findings->Add("mock_control", "is true, and there is no provider of kind mock to control");
  }
  for (const std::string& name : NamesOf(config.providers())) {
    if (findings->full()) return;
    const v1::ProviderConfig& provider = config.providers().at(name);
    const std::string kind = KindOf(provider);
    const std::string path = absl::StrCat("providers.", name, ".", kind);
    CheckName(name, kind, findings);
    if (const v1::HttpProviderConfig* http = HttpOf(provider)) {
      CheckHttp(*http, path, outside, findings);
      CheckBaseUrl(TextOf(provider, "base_url"), http->allow_insecure(), config,
                   absl::StrCat(path, ".base_url"), findings);
    }
    CheckSent(provider, path, findings);
    if (provider.has_bedrock()) CheckBedrock(provider.bedrock(), path, findings);
    if (provider.has_anthropic()) CheckAnthropic(provider.anthropic(), path, findings);
    if (provider.has_gemini()) CheckGemini(provider.gemini(), path, findings);
    if (provider.has_vertex()) CheckVertex(provider.vertex(), path, findings);
    if (provider.has_openai_compatible() && TextOf(provider, "preset").empty() &&
        TextOf(provider, "base_url").empty()) {
      findings->Add(absl::StrCat(path, ".base_url"),
                    "is missing: without a preset it must be there");
    }
    if (provider.has_azure_openai()) CheckAzure(provider.azure_openai(), path, findings);
    if (provider.has_mock()) CheckMock(provider.mock(), path, findings);
  }
}

}  // namespace mg
