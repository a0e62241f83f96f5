// How things fail here: a value, named by what the caller can do about it. Exceptions of libraries
// end at the file that calls the library. Data from a peer, a disk or a person is never an
// assertion, always a Result.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace checkrelay {

enum class Errc {
  invalid,      // the input is wrong: mend it
  refused,      // somebody with the right to do so said no
  unavailable,  // try again later
  full,         // no room: shed or wait
  corrupt,      // stored bytes are not what was written: report the loss
  unsupported,  // nobody here can do that
};

struct Error {
  Errc code = Errc::invalid;
  std::string
      what{};  // one line for a person; carries the offending fragment, quoted and cut (see text.h)
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::unexpected<Error>(Error{code, std::move(what)});
}

}  // namespace checkrelay
