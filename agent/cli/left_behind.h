// A process that stays when the program ends, for what nobody should wait for.
#pragma once

#include <vector>

namespace checkrelay {

// True in the process that stays behind, which must end by _exit(). It has a group of its own, no
// signal blocked and nothing open but `keep`, so that nobody who reads our output waits for it.
// False in the program itself, whether or not there is such a process now.
[[nodiscard]] bool left_behind(std::vector<int> keep);

}  // namespace checkrelay
