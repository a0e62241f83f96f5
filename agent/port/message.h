// What travels on a pipe: a piece of a byte stream, a datagram, or one HTTP message. A flat value:
// `kind` says which members count.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/secret.h"

namespace checkrelay {

struct Header {
  std::string name{};
  std::string value{};
};

// A header whose value proves who we are (a token): sent, and never shown.
struct SecretHeader {
  std::string name{};
  Secret value{};
  bool operator==(const SecretHeader&) const = default;
};

// From an Authorization header (RFC 7617 basic, RFC 6750 bearer). Bearer: `user` is empty.
struct Credentials {
  std::string user{};
  Secret secret{};
};

// Why a pipe did not bring an answer. Outbound only.
enum class Trouble {
  none,
  connect,    // resolve, connect, proxy: the peer surely saw nothing
  tls,        // certificate or handshake: somebody must mend the configuration
  timeout,    // no complete answer in time; the peer may have acted
  dropped,    // the connection ended before the answer was complete; the peer may have acted
  too_large,  // the answer passed the size cap
  io,         // local: a file could not be written or synced
  cancelled,  // we stop
};

struct Message {
  enum class Kind { bytes, request, response, failure };
  Kind kind = Kind::bytes;
  std::string body{};    // bytes: the piece; request, response: the body, complete
  std::string method{};  // request
  std::string target{};  // request: outbound an absolute URL, inbound path and query as received
  int status = 0;        // response
  std::vector<Header> headers{};  // request, response; names compare without case
  std::optional<Credentials>
      credentials{};  // request, both directions: never put secrets into `headers`
  std::vector<SecretHeader> secret_headers{};  // request, outbound
  Trouble trouble = Trouble::none;             // failure
  std::string what{};                          // failure: one line for a person, no secrets

  [[nodiscard]] static Message bytes(std::string piece);
  [[nodiscard]] static Message request(std::string method, std::string target,
                                       std::string body = {});
  [[nodiscard]] static Message response(int status, std::string body,
                                        std::string_view content_type);
  [[nodiscard]] static Message failure(Trouble trouble, std::string what);
  // The first header of that name, or nullptr.
  [[nodiscard]] const std::string* header(std::string_view name) const;
};

}  // namespace checkrelay
