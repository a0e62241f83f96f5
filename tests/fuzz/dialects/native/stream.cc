// A whole conversation: the first two bytes choose the framing and the size of the chunks, the rest
// arrives in them. Whatever comes, it ends in a close, and on a stream every piece has had its
// reply.
#include <cstdint>
#include <string>
#include <vector>

#include "plugins/dialects/native/dialect.h"

using namespace checkrelay;

namespace {

struct World {
  std::unique_ptr<Conversation> conversation;
  Instant now{};
  std::vector<Submission> open{};
  bool closed = false;

  void perform(Actions& actions) {
    for (Submission& s : actions.submit) open.push_back(std::move(s));
    closed = actions.close;
  }
  void settle_all() {
    for (std::vector<Submission> batch = std::move(open); !batch.empty() && !closed;
         batch.pop_back()) {
      std::vector<Outcome> outcomes(batch.back().results.size());
      for (std::size_t i = 0; i < outcomes.size(); i += 2) outcomes[i].ok = true;
      Actions actions;
      conversation->settle(batch.back().ticket, outcomes, now, actions);
      perform(actions);
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr Framing kFramings[] = {Framing::stream, Framing::file, Framing::lines,
                                   Framing::datagram};
  InboundContext context;
  context.framing = kFramings[data[0] % 4];
  context.max_result = 128;
  World world{native_dialect().inbound(context)};
  std::string input(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::size_t chunk = 1 + data[1];
  for (std::size_t at = 0; at < input.size() && !world.closed; at += chunk) {
    Actions actions;
    world.conversation->receive(Message::bytes(input.substr(at, chunk)), world.now, actions);
    world.perform(actions);
    if ((at & 4) != 0) world.settle_all();
  }
  if (!world.closed) {
    Actions actions;
    world.conversation->finish(world.now, actions);
    world.perform(actions);
  }
  world.settle_all();
  if (!world.closed) __builtin_trap();
  return 0;
}
