// Unix sockets by their path; too long a path gives up.
#pragma once

#include <string>

namespace checkrelay::bench {

// Blocking, and the caller's to close. `kind`: SOCK_STREAM or SOCK_DGRAM.
int connect_unix(const std::string& path);
int bind_unix(const std::string& path, int kind);

}  // namespace checkrelay::bench
