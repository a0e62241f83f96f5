// Logins over HTTP that a dialect answers: a token stands for user and password in later requests.
// One an intake, shared by its connections. Loop thread only.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/port/message.h"

namespace checkrelay {

class Logins {
 public:
  virtual ~Logins() = default;
  // A new token, 40 hex digits, good for `life` after its last use. refused: nobody here has these
  // credentials.
  [[nodiscard]] virtual Result<Secret> open(const Credentials& given, Duration life,
                                            Instant now) = 0;
  virtual void close(const Secret& token) = 0;  // an unknown one is no error
};

}  // namespace checkrelay
