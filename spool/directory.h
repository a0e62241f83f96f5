// The spool directory: an intake whose results come as files. A program makes a file visible by
// renaming it in; it is removed only after all its results are committed. What cannot be taken is
// kept in rejected/ with its reasons, and what the journal has no room for stays where it is and is
// offered again.
//
// Each file is a conversation (Framing::file) of the receiver. Results without an id get one that
// the file determines, so that a crash between commit and removal repeats nothing within the
// journal's same-id window. Work is cut into bounded steps, so that a directory of any size neither
// stalls the loop nor fills memory. Loop thread only.
#pragma once

#include "agent/port/registry.h"

namespace checkrelay {

[[nodiscard]] const IntakeKind& spool_intake();  // [[intake]] type "spool"

}  // namespace checkrelay
