#include "tests/support/tls_identity.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"

namespace mg {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string AlternativeName(const std::string& name) {
  in6_addr address{};
  const bool ip = inet_pton(AF_INET, name.c_str(), &address) == 1 ||
                  inet_pton(AF_INET6, name.c_str(), &address) == 1;
  return absl::StrCat(ip ? "IP:" : "DNS:", name);
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  MG_CHECK(extension != nullptr, "a certificate's extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TlsIdentity::~TlsIdentity() {
  if (!ca_file.empty()) unlink(ca_file.c_str());
}

void MakeTlsIdentity(const std::vector<std::string>& names, bool expired, TlsIdentity* identity) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  MG_CHECK(key != nullptr && certificate != nullptr, "no OpenSSL");
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  constexpr long kDay = 24 * 3600;
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -10 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expired ? -kDay : 10 * kDay);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("fake upstream"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  std::vector<std::string> alternatives;
  for (const std::string& each : names) alternatives.push_back(AlternativeName(each));
  AddExtension(certificate.get(), NID_subject_alt_name, absl::StrJoin(alternatives, ","));
  MG_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "a certificate's signature");

  const Bio certificate_bio(BIO_new(BIO_s_mem()), &BIO_free);
  const Bio key_bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_X509(certificate_bio.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  identity->certificate_pem = TextOf(certificate_bio.get());
  identity->key_pem = TextOf(key_bio.get());

  const char* folder = std::getenv("TMPDIR");
  identity->ca_file = absl::StrCat(folder != nullptr ? folder : "/tmp", "/mg-test-ca-XXXXXX");
  const int fd = mkstemp(identity->ca_file.data());
  MG_CHECK(fd >= 0, "no temporary file");
  MG_CHECK(write(fd, identity->certificate_pem.data(), identity->certificate_pem.size()) ==
               static_cast<ssize_t>(identity->certificate_pem.size()),
           "the temporary file cannot be written");
  close(fd);
}

}  // namespace mg
