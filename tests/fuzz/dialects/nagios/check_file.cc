#include <cstdint>
#include <string>

#include "plugins/dialects/nagios/dialect.h"

using namespace checkrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  InboundContext context;
  context.framing = Framing::file;
  context.file_name = "cAbCdEf";
  context.max_result = 256;
  auto conversation = nagios_dialect().inbound(context);
  std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t chunk = 1 + data[0];
  Actions actions;
  for (std::size_t at = 0; at < input.size(); at += chunk)
    conversation->receive(Message::bytes(input.substr(at, chunk)), {}, actions);
  conversation->finish({}, actions);
  bool closed = actions.close;
  for (const Submission& s : actions.submit) {
    std::vector<Outcome> outcomes(s.results.size());
    Actions after;
    conversation->settle(s.ticket, outcomes, {}, after);
    closed = after.close;
  }
  if (!closed) __builtin_trap();
  return 0;
}
