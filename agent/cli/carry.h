// `checkrelay queue export` and `checkrelay queue import`: results carried by hand.
#pragma once

#include "agent/cli/office.h"
#include "agent/port/bundle.h"

namespace checkrelay {

[[nodiscard]] int export_command(const Office& office, const Bundles& bundles,
                                 const Arguments& arguments);
[[nodiscard]] int import_command(const Bundles& bundles, const Arguments& arguments);

}  // namespace checkrelay
