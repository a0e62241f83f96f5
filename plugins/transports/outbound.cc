#include "plugins/transports/outbound.h"

#include "plugins/transports/append_carrier.h"
#include "plugins/transports/http_client.h"
#include "plugins/transports/none_carrier.h"

namespace checkrelay {

std::vector<CarrierKind> carriers() {
  return {{Framing::http, http_client_options(), make_http_client},
          {Framing::append, append_carrier_options(), make_append_carrier},
          {Framing::none, {}, [](const Options&, Loop& loop) -> Result<std::unique_ptr<Carrier>> {
             return make_none_carrier(loop);
           }}};
}

}  // namespace checkrelay
