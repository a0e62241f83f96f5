// `checkrelay freshness …`.
#pragma once

#include "agent/cli/command.h"
#include "agent/cli/office.h"

namespace checkrelay {

int freshness_list_command(const Office& office, const Arguments& arguments);
int freshness_show_command(const Office& office, const Arguments& arguments);
int freshness_suggest_command(const Office& office, const Arguments& arguments);
int freshness_forget_command(const Office& office, const Arguments& arguments);

}  // namespace checkrelay
