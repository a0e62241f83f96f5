#include "plugins/builtin.h"

#include "plugins/dialects/discard/dialect.h"
#include "plugins/dialects/file/dialect.h"
#include "plugins/dialects/groundwork/dialect.h"
#include "plugins/dialects/nagios/dialect.h"
#include "plugins/dialects/native/dialect.h"
#include "plugins/dialects/op5/dialect.h"
#include "plugins/dialects/opmantek/dialect.h"
#include "plugins/dialects/opsview/dialect.h"
#include "plugins/transports/inbound.h"
#include "plugins/transports/outbound.h"

namespace checkrelay {

Registry builtin_registry() {
  Registry registry;
  // Where several could read an intake's input, the first is asked first: nagios knows its files by
  // their names.
  registry.dialects = {
      &nagios_dialect(),  &native_dialect(),   &op5_dialect(),  &groundwork_dialect(),
      &opsview_dialect(), &opmantek_dialect(), &file_dialect(), &discard_dialect(),
  };
  registry.intakes = socket_intakes();
  registry.carriers = carriers();
  return registry;
}

}  // namespace checkrelay
