// A self-signed certificate made at run time, for TLS tests: it is its own CA, so that a client
// whose ca_file it is trusts it, and no other does.
#pragma once

#include <string>
#include <vector>

namespace mg {

struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
  std::string ca_file;  // the certificate in a file, removed with the identity

  TlsIdentity() = default;
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ~TlsIdentity();
};

// `names` are DNS names or IP addresses.
void MakeTlsIdentity(const std::vector<std::string>& names, bool expired, TlsIdentity* identity);

}  // namespace mg
