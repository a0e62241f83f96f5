// What an examination found, in words for the operator.
#pragma once

#include <string>

namespace checkrelay {

struct Finding {
  enum class Kind {
    well,
    note,   // worth knowing, no fault
    fault,  // something to be done
  };
  Kind kind = Kind::well;
  std::string about{};   // "journal", "destination central"
  std::string what{};    // one line
  std::string advice{};  // what to do; of faults, never empty
};

}  // namespace checkrelay
