// Certificates for a test: an authority, and what it signs, as PEM files in a directory of their
// own.
#pragma once

#include <string>

namespace checkrelay::testing_peer {

class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  // Makes NAME.pem and NAME.key; `alternative` as in "DNS:localhost". Signed by NAME `issuer`, or
  // by itself where empty.
  void make(const std::string& name, const std::string& alternative, const std::string& issuer);

 private:
  std::string directory_;
};

}  // namespace checkrelay::testing_peer
