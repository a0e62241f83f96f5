// Files that options name.
#pragma once

#include <string_view>

#include "agent/port/option.h"

namespace checkrelay {

// True where a file that an option names may have changed while the configuration did not.
[[nodiscard]] inline bool reads_files(const Options& o) {
  for (std::string_view name :
       {"tls_cert", "tls_key", "tls_client_ca", "ca_file", "client_cert", "client_key"})
    if (!o.text(name).empty()) return true;
  return false;
}

}  // namespace checkrelay
