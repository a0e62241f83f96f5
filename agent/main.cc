// Wiring: what is built in, and which command does what.
#include <vector>

#include "agent/cli/cli.h"
#include "agent/cli/doctor.h"
#include "agent/cli/operate.h"
#include "agent/run.h"
#include "plugins/builtin.h"
#include "spool/bundle_file.h"
#include "spool/directory.h"
#include "spool/examine.h"
#include "spool/journal.h"

namespace checkrelay {
namespace {

Registry everything_built_in() {
  Registry registry = builtin_registry();
  registry.intakes.push_back(spool_intake());
  return registry;
}

int run_cli_with(const Registry& registry, std::vector<std::string> arguments) {
  Handlers handlers =
      client_handlers({{read_sqlite_journal, holder_of_state}, {create_bundle, open_bundle}});
  handlers["run"] = [&](const Arguments& a) { return run_agent(config_file(a), registry); };
  handlers["check"] = [&](const Arguments& a) { return check_command(a, registry); };
  handlers["doctor"] = [&](const Arguments& a) {
    return doctor_command(a, registry, {examine_journal, holder_of_state});
  };
  return run_cli(std::move(arguments), handlers);
}

}  // namespace
}  // namespace checkrelay

int main(int argc, char** argv) {
  using namespace checkrelay;
  const Registry registry = everything_built_in();
  return run_cli_with(registry, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
